// Vectors as the compiler writes them (GCC and Clang): arithmetic on them is the same source for
// every instruction set. Only the dot products, which no operator expresses, are written per set.
//
// This header and its neighbours are compiled once for each instruction set, inside a namespace of
// its own (GDQ_ISA), and use no templates of the standard library: the linker keeps one copy of an
// inline function, and it might keep the one that this processor cannot run.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GDQ_INLINE inline __attribute__((always_inline))
#define GDQ_ALWAYS __attribute__((always_inline))

namespace gdq {
namespace GDQ_ISA {

template <class T, int N>
struct VectorType {
  typedef T Type __attribute__((vector_size(N * sizeof(T))));
};
// N elements of type T.
template <class T, int N>
using Vector = typename VectorType<T, N>::Type;

template <int N>
struct Index {
  static constexpr int value = N;
  constexpr operator int() const { return N; }
};

template <class A, class B>
struct IsSame {
  static constexpr bool value = false;
};
template <class A>
struct IsSame<A, A> {
  static constexpr bool value = true;
};

template <int N, int I = 0, class F>
GDQ_INLINE void unroll(F&& body) {
  if constexpr (I < N) {
    body(Index<I>{});
    unroll<N, I + 1>(body);
  }
}

template <class V>
GDQ_INLINE V load(const void* from) {
  V vector;
  __builtin_memcpy(&vector, from, sizeof vector);
  return vector;
}

template <class V>
GDQ_INLINE void store(void* to, V vector) {
  __builtin_memcpy(to, &vector, sizeof vector);
}

template <class V, class T>
GDQ_INLINE V all(T number) {
  return V{} + number;
}

template <class V>
GDQ_INLINE V smaller(V a, V b) {
  return a < b ? a : b;
}

template <class V>
GDQ_INLINE V larger(V a, V b) {
  return a > b ? a : b;
}

// Loads behind it stay behind it. Compilers load weights long before they need them, and then have
// no registers left for sums.
GDQ_INLINE void keep_order() { __asm__ volatile("" ::: "memory"); }

// float -> int32, ties to even; the input must lie within +-2^22.
template <int N>
GDQ_INLINE Vector<int32_t, N> round_to_even(Vector<float, N> x) {
  // At 1.5 * 2^23 a float has no fraction bits left: the addition itself rounds.
  const Vector<float, N> shifted = x + 12582912.0f;
  return (Vector<int32_t, N>)shifted - 0x4B400000;
}

// A power of two from `most` down to `least` that divides `count`, found at compile time by trying.
template <int Most, int Least, class F>
GDQ_INLINE void with_divisor(int count, F&& body) {
  if constexpr (Most > Least) {
    if (count % Most != 0) return with_divisor<Most / 2, Least>(count, body);
  }
  body(Index<Most>{});
}

}  // namespace GDQ_ISA
}  // namespace gdq

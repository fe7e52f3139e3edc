// float -> int16 and int8, with saturation and ties to even, for instruction sets that have no
// instruction of their own for it.
#pragma once

#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

template <int Lanes>
struct PortableNarrowing {
  using F = Vector<float, Lanes>;

  static GDQ_INLINE void store_stream(int16_t* to, F x) {
    x = smaller(larger(x, all<F>(-32768.0f)), all<F>(32767.0f));
    store(to, __builtin_convertvector(round_to_even<Lanes>(x), Vector<int16_t, Lanes>));
  }

  // The lowest and the highest code.
  struct CodeRange {
    F low, high;
    GDQ_INLINE CodeRange(float low, float high) : low(all<F>(low)), high(all<F>(high)) {}
    GDQ_INLINE void store(int8_t* to, F x) const {
      x = smaller(larger(x, low), high);
      GDQ_ISA::store(to, __builtin_convertvector(round_to_even<Lanes>(x), Vector<int8_t, Lanes>));
    }
  };
};

}  // namespace GDQ_ISA
}  // namespace gdq

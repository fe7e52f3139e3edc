// What the instruction sets of 256 bits share: 32 bytes, 16 registers, data spread to all lanes.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "kernels/body.h"
#include "kernels/narrow.h"
#include "kernels/real.h"

namespace gdq {
namespace GDQ_ISA {

struct AvxIsa : PortableNarrowing<8> {
  static constexpr int kBytes = 32, kLanes = 8;
  static constexpr int kGroups = 2, kTiles = 8;
  typedef int32_t I32 __attribute__((vector_size(32)));
  typedef float F32 __attribute__((vector_size(32)));

  static GDQ_INLINE __m256i weights_at(const void* weights) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(weights));
  }
  static GDQ_INLINE __m256i everywhere(const void* four_bytes) {
    int bits;
    __builtin_memcpy(&bits, four_bytes, 4);
    return _mm256_set1_epi32(bits);
  }

  using DataReal = float;
  static constexpr int kStepsReal = 1;
  template <int Step>
  static GDQ_INLINE F32 dot1(F32 sum, F32 weights, float data) {
    return sum + weights * data;
  }

  using Data8 = __m256i;
  static constexpr int kSteps8 = 1;
  static GDQ_INLINE Data8 data8(const int8_t* four) { return everywhere(four); }

  using Data16 = __m256i;
  static constexpr int kSteps16 = 1, kInt16Block = 1;
  static GDQ_INLINE Data16 data16(const int16_t* two) { return everywhere(two); }

  // Of body layers: 12 sums, two vectors of weights and one of data are 15 of 16 registers.
  static constexpr bool kKnowsChannels = true;  // those that are usual, when it is compiled
  static constexpr int kBodyRows = 6, kBodyBlocks = 4;
  static constexpr bool kStartsPerRow = false, kRoundsInStart = true, kInterleaved = true;
  static constexpr bool kInPairs = false;
  typedef int16_t I16 __attribute__((vector_size(32)));
  // Adds products of int16, some two of them to each sum.
  static GDQ_INLINE I32 dot_pairs(I32 sum, I16 a, I16 b) {
    return sum + (I32)_mm256_madd_epi16((__m256i)a, (__m256i)b);
  }
  template <int Shift>
  static GDQ_INLINE I16 narrowed(I32 a, I32 b) {
    return (I16)_mm256_packs_epi32((__m256i)(a >> Shift), (__m256i)(b >> Shift));
  }
  static GDQ_INLINE I16 scaled(I16 x, I16 factor) {
    return (I16)_mm256_mulhrs_epi16((__m256i)x, (__m256i)factor);
  }
  static GDQ_INLINE I16 scaled_sum(I16 sum, I16 x, I16 factor) {
    return (I16)_mm256_adds_epi16((__m256i)sum, (__m256i)scaled(x, factor));
  }
  static GDQ_INLINE I16 sum(I16 a, I16 b) { return (I16)_mm256_adds_epi16((__m256i)a, (__m256i)b); }
  // Two vectors of numbers, to which `kMagic` was added, as whole ones.
  static constexpr float kMagic = 0;
  static GDQ_INLINE F32 real(I32 sum) { return __builtin_convertvector(sum, F32); }
  static GDQ_INLINE I16 whole(F32 low, F32 high) {
    return (I16)_mm256_packs_epi32(_mm256_cvtps_epi32((__m256)low),
                                   _mm256_cvtps_epi32((__m256)high));
  }
  struct Codes {
    __m128i low, high;
    GDQ_INLINE Codes(int8_t low, int8_t high)
        : low(_mm_set1_epi8(low)), high(_mm_set1_epi8(high)) {}
    // Of numbers in units of 2^-Shift.
    template <int Shift>
    GDQ_INLINE void store(int8_t* to, I16 x) const {
      store_whole(to, scaled(x, all<I16>((int16_t)(1 << (15 - Shift)))));
    }
    GDQ_INLINE void store_whole(int8_t* to, I16 codes) const {
      const __m256i whole = (__m256i)codes;
      const __m128i bytes =
          _mm_packs_epi16(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                       _mm_min_epi8(_mm_max_epi8(bytes, low), high));
    }
  };
};

}  // namespace GDQ_ISA
}  // namespace gdq

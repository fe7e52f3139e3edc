// What the instruction sets of 256 bits share: 32 bytes, 16 registers, data spread to all lanes.
#pragma once

#include <immintrin.h>
#include <stdint.h>

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
  static GDQ_INLINE F32 dot1(F32 sum, const void* weights, float data) {
    return sum + load<F32>(weights) * data;
  }

  using Data8 = __m256i;
  static constexpr int kSteps8 = 1;
  static GDQ_INLINE Data8 data8(const int8_t* four) { return everywhere(four); }

  using Data16 = __m256i;
  static constexpr int kSteps16 = 1, kInt16Block = 1;
  static GDQ_INLINE Data16 data16(const int16_t* two) { return everywhere(two); }
};

}  // namespace GDQ_ISA
}  // namespace gdq

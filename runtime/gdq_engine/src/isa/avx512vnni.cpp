// x86-64 with AVX-512 VNNI: 64 bytes, 32 registers, dot products of four and of two.
#include <immintrin.h>
#include <stdint.h>

#define GDQ_ISA avx512vnni

namespace gdq {
namespace GDQ_ISA {

struct Isa {
  static constexpr int kBytes = 64, kLanes = 16;
  static constexpr int kGroups = 4, kTiles = 16;  // vectors of weights, of sums, at once
  static constexpr bool kHasDot4 = true, kUnsignedData = true;
  typedef int32_t I32 __attribute__((vector_size(64)));
  typedef float F32 __attribute__((vector_size(64)));

  using Data8 = __m512i;
  static constexpr int kSteps8 = 1;
  static inline __attribute__((always_inline)) Data8 data8(const int8_t* four) {
    int bits;
    __builtin_memcpy(&bits, four, 4);
    return _mm512_set1_epi32(bits);
  }
  template <int Step>
  static inline __attribute__((always_inline)) I32 dot4(I32 sum, const void* weights, Data8 data) {
    return (I32)_mm512_dpbusd_epi32((__m512i)sum, data, _mm512_loadu_si512(weights));
  }

  using Data16 = __m512i;
  static constexpr int kSteps16 = 1, kInt16Block = 1, kInt16Cost = 2;
  static inline __attribute__((always_inline)) Data16 data16(const int16_t* two) {
    int bits;
    __builtin_memcpy(&bits, two, 4);
    return _mm512_set1_epi32(bits);
  }
  template <int Step>
  static inline __attribute__((always_inline)) I32 dot2(I32 sum, const void* weights, Data16 data) {
    return (I32)_mm512_dpwssd_epi32((__m512i)sum, data, _mm512_loadu_si512(weights));
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/instantiate.h"

namespace gdq {
extern constexpr KernelTable kAvx512VnniKernels = avx512vnni::kTable;
}

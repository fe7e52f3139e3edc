// x86-64 with AVX2 and AVX-VNNI: as AVX2, with dot products of four and of two.
#include <immintrin.h>
#include <stdint.h>

#define GDQ_ISA avxvnni

#include "kernels/narrow.h"

namespace gdq {
namespace GDQ_ISA {

struct Isa : PortableNarrowing<8> {
  static constexpr int kBytes = 32, kLanes = 8;
  static constexpr int kGroups = 2, kTiles = 8;
  static constexpr bool kHasDot4 = true, kUnsignedData = true;
  typedef int32_t I32 __attribute__((vector_size(32)));
  typedef float F32 __attribute__((vector_size(32)));

  using Data8 = __m256i;
  static constexpr int kSteps8 = 1;
  static inline __attribute__((always_inline)) Data8 data8(const int8_t* four) {
    int bits;
    __builtin_memcpy(&bits, four, 4);
    return _mm256_set1_epi32(bits);
  }
  template <int Step>
  static inline __attribute__((always_inline)) I32 dot4(I32 sum, const void* weights, Data8 data) {
    const __m256i w = _mm256_loadu_si256(static_cast<const __m256i*>(weights));
    return (I32)_mm256_dpbusd_avx_epi32((__m256i)sum, data, w);
  }

  using Data16 = __m256i;
  static constexpr int kSteps16 = 1, kInt16Block = 1, kInt16Cost = 2;
  static inline __attribute__((always_inline)) Data16 data16(const int16_t* two) {
    int bits;
    __builtin_memcpy(&bits, two, 4);
    return _mm256_set1_epi32(bits);
  }
  template <int Step>
  static inline __attribute__((always_inline)) I32 dot2(I32 sum, const void* weights, Data16 data) {
    const __m256i w = _mm256_loadu_si256(static_cast<const __m256i*>(weights));
    return (I32)_mm256_dpwssd_avx_epi32((__m256i)sum, data, w);
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/instantiate.h"

namespace gdq {
extern constexpr KernelTable kAvxVnniKernels = avxvnni::kTable;
}

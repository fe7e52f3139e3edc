// x86-64 with AVX2 and FMA: 32 bytes, 16 registers. Its product of bytes saturates, so that only
// int16 is exact; that also is why it has one kernel for all bit-widths.
#include <immintrin.h>
#include <stdint.h>

#define GDQ_ISA avx2

#include "kernels/narrow.h"

namespace gdq {
namespace GDQ_ISA {

struct Isa : PortableNarrowing<8> {
  static constexpr int kBytes = 32, kLanes = 8;
  static constexpr int kGroups = 2, kTiles = 8;
  static constexpr bool kHasDot4 = false, kUnsignedData = false;
  typedef int32_t I32 __attribute__((vector_size(32)));
  typedef float F32 __attribute__((vector_size(32)));

  // Named by templates that are never used.
  using Data8 = __m256i;
  static constexpr int kSteps8 = 1;
  static Data8 data8(const int8_t* four);
  template <int Step>
  static I32 dot4(I32 sum, const void* weights, Data8 data);

  using Data16 = __m256i;
  static constexpr int kSteps16 = 1, kInt16Block = 1, kInt16Cost = 1;
  static inline __attribute__((always_inline)) Data16 data16(const int16_t* two) {
    int bits;
    __builtin_memcpy(&bits, two, 4);
    return _mm256_set1_epi32(bits);
  }
  template <int Step>
  static inline __attribute__((always_inline)) I32 dot2(I32 sum, const void* weights, Data16 data) {
    const __m256i w = _mm256_loadu_si256(static_cast<const __m256i*>(weights));
    return sum + (I32)_mm256_madd_epi16(data, w);
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/instantiate.h"

namespace gdq {
extern constexpr KernelTable kAvx2Kernels = avx2::kTable;
}

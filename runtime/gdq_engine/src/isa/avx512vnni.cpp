// x86-64 with AVX-512 VNNI: 64 bytes, 32 registers, dot products of four and of two.
#include <immintrin.h>
#include <stdint.h>

#include "kernels/real.h"

#define GDQ_ISA avx512vnni

namespace gdq {
namespace GDQ_ISA {

struct Isa {
  static constexpr int kBytes = 64, kLanes = 16;
  static constexpr int kGroups = 4, kTiles = 16;  // vectors of weights, of sums, at once
  static constexpr bool kHasDot4 = true, kUnsignedData = true;
  static constexpr HeadForm kHead = HeadForm::kWords;
  typedef int32_t I32 __attribute__((vector_size(64)));
  typedef float F32 __attribute__((vector_size(64)));

  using DataReal = float;
  static constexpr int kStepsReal = 1;
  template <int Step>
  static inline __attribute__((always_inline)) F32 dot1(F32 sum, const void* weights, float data) {
    return (F32)_mm512_fmadd_ps(_mm512_loadu_ps(weights), _mm512_set1_ps(data), (__m512)sum);
  }

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

  // Ties to even. The instruction makes the lowest number of what is too high for 32 bits, so that
  // must not reach it; operands in this order let NaN through, which becomes the lowest everywhere.
  static inline __attribute__((always_inline)) __m512i rounded(F32 x) {
    return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_set1_ps(32767.0f), (__m512)x));
  }

  static inline __attribute__((always_inline)) void store_stream(int16_t* to, F32 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtsepi32_epi16(rounded(x)));
  }

  // The lowest and the highest code; saturation to 8 bits comes first.
  struct CodeRange {
    __m128i low, high;
    inline __attribute__((always_inline)) CodeRange(float low, float high)
        : low(_mm_set1_epi8(static_cast<char>(low))),
          high(_mm_set1_epi8(static_cast<char>(high))) {}
    inline __attribute__((always_inline)) void store(int8_t* to, F32 x) const {
      const __m128i bytes = _mm512_cvtsepi32_epi8(rounded(x));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                       _mm_min_epi8(_mm_max_epi8(bytes, low), high));
    }
  };
};

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/instantiate.h"

namespace gdq {
extern constexpr KernelTable kAvx512VnniKernels = avx512vnni::kTable;
extern constexpr RealKernels kAvx512VnniReal = avx512vnni::kRealTable;
}  // namespace gdq

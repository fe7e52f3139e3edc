// x86-64 with AVX-512 VNNI: 64 bytes, 32 registers, dot products of four and of two.
#include <immintrin.h>
#include <stdint.h>

#include "kernels/real.h"

#define GDQ_ISA avx512vnni

#include "kernels/body.h"
#include "kernels/vector.h"

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
  static inline __attribute__((always_inline)) F32 dot1(F32 sum, F32 weights, float data) {
    return sum + weights * data;
  }

  using Data8 = __m512i;
  static constexpr int kSteps8 = 1;
  static GDQ_INLINE Data8 data8(const int8_t* four) {
    int bits;
    __builtin_memcpy(&bits, four, 4);
    return _mm512_set1_epi32(bits);
  }
  template <int Step>
  static GDQ_INLINE I32 dot4(I32 sum, const void* weights, Data8 data) {
    // Not the intrinsic: GCC 12 does not see that the sum is overwritten, and copies it every time.
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(data), "v"(_mm512_loadu_si512(weights)));
    return sum;
  }

  using Data16 = __m512i;
  static constexpr int kSteps16 = 1, kInt16Block = 1, kInt16Cost = 2;
  static GDQ_INLINE Data16 data16(const int16_t* two) {
    int bits;
    __builtin_memcpy(&bits, two, 4);
    return _mm512_set1_epi32(bits);
  }
  template <int Step>
  static GDQ_INLINE I32 dot2(I32 sum, const void* weights, Data16 data) {
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(data), "v"(_mm512_loadu_si512(weights)));
    return sum;
  }

  // Of body layers: 16 sums, two vectors of weights and one of data.
  static constexpr bool kKnowsChannels = true;  // those that are usual, when it is compiled
  static constexpr int kBodyRows = 8, kBodyBlocks = 2;
  static constexpr bool kStartsPerRow = false, kRoundsInStart = true, kInterleaved = true;
  static constexpr bool kInPairs = false;
  typedef int16_t I16 __attribute__((vector_size(64)));
  // Adds products of int16, some two of them to each sum.
  static GDQ_INLINE I32 dot_pairs(I32 sum, I16 a, I16 b) {
    return (I32)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
  }
  template <int Shift>
  static GDQ_INLINE I16 narrowed(I32 a, I32 b) {
    return (I16)_mm512_packs_epi32((__m512i)(a >> Shift), (__m512i)(b >> Shift));
  }
  static GDQ_INLINE I16 scaled(I16 x, I16 factor) {
    return (I16)_mm512_mulhrs_epi16((__m512i)x, (__m512i)factor);
  }
  static GDQ_INLINE I16 scaled_sum(I16 sum, I16 x, I16 factor) {
    return (I16)_mm512_adds_epi16((__m512i)sum, (__m512i)scaled(x, factor));
  }
  static GDQ_INLINE I16 sum(I16 a, I16 b) { return (I16)_mm512_adds_epi16((__m512i)a, (__m512i)b); }
  // Two vectors of numbers, to which `kMagic` was added, as whole ones.
  static constexpr float kMagic = 0;
  static GDQ_INLINE F32 real(I32 sum) { return __builtin_convertvector(sum, F32); }
  static GDQ_INLINE I16 whole(F32 low, F32 high) {
    return (I16)_mm512_packs_epi32(_mm512_cvtps_epi32((__m512)low),
                                   _mm512_cvtps_epi32((__m512)high));
  }
  struct Codes {
    __m256i low, high;
    GDQ_INLINE Codes(int8_t low, int8_t high)
        : low(_mm256_set1_epi8(low)), high(_mm256_set1_epi8(high)) {}
    // Of numbers in units of 2^-Shift.
    template <int Shift>
    GDQ_INLINE void store(int8_t* to, I16 x) const {
      store_whole(to, scaled(x, all<I16>((int16_t)(1 << (15 - Shift)))));
    }
    GDQ_INLINE void store_whole(int8_t* to, I16 codes) const {
      const __m256i bytes = _mm512_cvtsepi16_epi8((__m512i)codes);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                          _mm256_min_epi8(_mm256_max_epi8(bytes, low), high));
    }
  };

  // Ties to even. The instruction makes the lowest number of what is too high for 32 bits, so that
  // must not reach it; operands in this order let NaN through, which becomes the lowest everywhere.
  static GDQ_INLINE __m512i rounded(F32 x) {
    return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_set1_ps(32767.0f), (__m512)x));
  }

  static GDQ_INLINE void store_stream(int16_t* to, F32 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtsepi32_epi16(rounded(x)));
  }

  // The lowest and the highest code; saturation to 8 bits comes first.
  struct CodeRange {
    __m128i low, high;
    GDQ_INLINE CodeRange(float low, float high)
        : low(_mm_set1_epi8(static_cast<char>(low))),
          high(_mm_set1_epi8(static_cast<char>(high))) {}
    GDQ_INLINE void store(int8_t* to, F32 x) const {
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

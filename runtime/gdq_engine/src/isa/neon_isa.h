// What the instruction sets of ARM64 share: 16 bytes, 32 registers, products of int16 by a lane.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

#include "kernels/body.h"
#include "kernels/real.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

struct NeonIsa {
  static constexpr int kBytes = 16, kLanes = 4;
  // 16 sums, the data of 8 tiles and a pair of weights: 26 of 32 registers.
  static constexpr int kGroups = 2, kTiles = 16;
  static constexpr bool kUnsignedData = false;
  typedef int32_t I32 __attribute__((vector_size(16)));
  typedef float F32 __attribute__((vector_size(16)));

  // One vector of data serves four steps, each by its lane.
  using DataReal = F32;
  static constexpr int kStepsReal = 4;
  template <int Step>
  static inline __attribute__((always_inline)) F32 dot1(F32 sum, F32 weights, F32 data) {
    return (F32)vfmaq_laneq_f32((float32x4_t)sum, (float32x4_t)weights, (float32x4_t)data, Step);
  }

  // Two lanes of the data are the two input channels of a step; their weights lie in the two halves
  // of a vector, because a product widens one half to four sums.
  using Data16 = int16x8_t;
  static constexpr int kSteps16 = 4, kInt16Block = 4;
  static GDQ_INLINE Data16 data16(const int16_t* eight) { return vld1q_s16(eight); }
  template <int Step>
  static GDQ_INLINE I32 dot2(I32 sum, const void* weights, Data16 data) {
    const int16x8_t w = vld1q_s16(static_cast<const int16_t*>(weights));
    const int32x4_t first = vmlal_laneq_s16((int32x4_t)sum, vget_low_s16(w), data, 2 * Step);
    return (I32)vmlal_high_laneq_s16(first, w, data, 2 * Step + 1);
  }

  // Of body layers: 16 sums, the data of 8 tiles, two vectors of weights.
  static constexpr bool kKnowsChannels = true;  // those that are usual, when it is compiled
  static constexpr int kBodyRows = 8, kBodyBlocks = 2;
  static constexpr bool kStartsPerRow = true, kRoundsInStart = false, kInterleaved = false;
  static constexpr bool kInPairs = false;
  typedef int16_t I16 __attribute__((vector_size(16)));
  // Adds products of int16, some two of them to each sum.
  static GDQ_INLINE I32 dot_pairs(I32 sum, I16 a, I16 b) {
    const int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
    const int32x4_t half = vmlal_s16((int32x4_t)sum, vget_low_s16(x), vget_low_s16(y));
    return (I32)vmlal_high_s16(half, x, y);
  }
  template <int Shift>
  static GDQ_INLINE I16 narrowed(I32 a, I32 b) {
    if constexpr (Shift == 0)
      return (I16)vqmovn_high_s32(vqmovn_s32((int32x4_t)a), (int32x4_t)b);
    else
      return (I16)vqrshrn_high_n_s32(vqrshrn_n_s32((int32x4_t)a, Shift), (int32x4_t)b, Shift);
  }
  static GDQ_INLINE I16 scaled(I16 x, I16 factor) {
    return (I16)vqrdmulhq_s16((int16x8_t)x, (int16x8_t)factor);
  }
  static GDQ_INLINE I16 scaled_sum(I16 sum, I16 x, I16 factor) {
#ifdef __ARM_FEATURE_QRDMX
    return (I16)vqrdmlahq_s16((int16x8_t)sum, (int16x8_t)x, (int16x8_t)factor);
#else
    return (I16)vqaddq_s16((int16x8_t)sum, (int16x8_t)scaled(x, factor));
#endif
  }
  static GDQ_INLINE I16 sum(I16 a, I16 b) { return (I16)vqaddq_s16((int16x8_t)a, (int16x8_t)b); }
  // Two vectors of numbers, to which `kMagic` was added, as whole ones: a float of this size has no
  // fraction bits left, and its lowest are the number. Sums that begin at the bits of `kMagic` are
  // such floats already. No conversion is needed; they are slow here.
  static constexpr float kMagic = 12582912.0f;
  static GDQ_INLINE F32 real(I32 sum) { return (F32)sum; }
  static GDQ_INLINE I16 whole(F32 low, F32 high) {
    return (I16)vuzp1q_s16((int16x8_t)low, (int16x8_t)high);
  }
  struct Codes {
    int8x8_t low, high;
    GDQ_INLINE Codes(int8_t low, int8_t high) : low(vdup_n_s8(low)), high(vdup_n_s8(high)) {}
    // Of numbers in units of 2^-Shift.
    template <int Shift>
    GDQ_INLINE void store(int8_t* to, I16 x) const {
      const int8x8_t bytes = vqrshrn_n_s16((int16x8_t)x, Shift);
      vst1_s8(to, vmin_s8(vmax_s8(bytes, low), high));
    }
    GDQ_INLINE void store_whole(int8_t* to, I16 codes) const {
      vst1_s8(to, vmin_s8(vmax_s8(vqmovn_s16((int16x8_t)codes), low), high));
    }
  };

  // float -> int16, saturated, ties to even.
  static GDQ_INLINE int16x4_t rounded(F32 x) { return vqmovn_s32(vcvtnq_s32_f32((float32x4_t)x)); }
  static GDQ_INLINE void store_stream(int16_t* to, F32 x) { vst1_s16(to, rounded(x)); }
  // The lowest and the highest code.
  struct CodeRange {
    int16x4_t low, high;
    GDQ_INLINE CodeRange(float low, float high)
        : low(vdup_n_s16((int16_t)low)), high(vdup_n_s16((int16_t)high)) {}
    GDQ_INLINE void store(int8_t* to, F32 x) const {
      const int16x4_t codes = vmin_s16(vmax_s16(rounded(x), low), high);
      const int32x2_t four = vreinterpret_s32_s8(vmovn_s16(vcombine_s16(codes, codes)));
      const int bits = vget_lane_s32(four, 0);
      __builtin_memcpy(to, &bits, 4);
    }
  };
};

}  // namespace GDQ_ISA
}  // namespace gdq

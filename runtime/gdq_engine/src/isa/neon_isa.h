// What the instruction sets of ARM64 share: 16 bytes, 32 registers, products of int16 by a lane.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

#include "kernels/real.h"

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
  static inline __attribute__((always_inline)) F32 dot1(F32 sum, const void* weights, F32 data) {
    return (F32)vfmaq_laneq_f32((float32x4_t)sum, vld1q_f32(static_cast<const float*>(weights)),
                                (float32x4_t)data, Step);
  }

  // Two lanes of the data are the two input channels of a step; their weights lie in the two halves
  // of a vector, because a product widens one half to four sums.
  using Data16 = int16x8_t;
  static constexpr int kSteps16 = 4, kInt16Block = 4;
  static inline __attribute__((always_inline)) Data16 data16(const int16_t* eight) {
    return vld1q_s16(eight);
  }
  template <int Step>
  static inline __attribute__((always_inline)) I32 dot2(I32 sum, const void* weights, Data16 data) {
    const int16x8_t w = vld1q_s16(static_cast<const int16_t*>(weights));
    const int32x4_t first = vmlal_laneq_s16((int32x4_t)sum, vget_low_s16(w), data, 2 * Step);
    return (I32)vmlal_high_laneq_s16(first, w, data, 2 * Step + 1);
  }

  // float -> int16, saturated, ties to even.
  static inline __attribute__((always_inline)) int16x4_t rounded(F32 x) {
    return vqmovn_s32(vcvtnq_s32_f32((float32x4_t)x));
  }
  static inline __attribute__((always_inline)) void store_stream(int16_t* to, F32 x) {
    vst1_s16(to, rounded(x));
  }
  // The lowest and the highest code.
  struct CodeRange {
    int16x4_t low, high;
    inline __attribute__((always_inline)) CodeRange(float low, float high)
        : low(vdup_n_s16((int16_t)low)), high(vdup_n_s16((int16_t)high)) {}
    inline __attribute__((always_inline)) void store(int8_t* to, F32 x) const {
      const int16x4_t codes = vmin_s16(vmax_s16(rounded(x), low), high);
      const int32x2_t four = vreinterpret_s32_s8(vmovn_s16(vcombine_s16(codes, codes)));
      const int bits = vget_lane_s32(four, 0);
      __builtin_memcpy(to, &bits, 4);
    }
  };
};

}  // namespace GDQ_ISA
}  // namespace gdq

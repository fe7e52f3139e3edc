// Numbers of 16 bits with the exponent of their own (FEAT_FP16), for real layers.
#pragma once

#include "kernels/real_transformed.h"

namespace gdq {
namespace GDQ_ISA {

GDQ_INLINE float16x8_t halves(const float* from) {
  return vcombine_f16(vcvt_f16_f32(vld1q_f32(from)), vcvt_f16_f32(vld1q_f32(from + 4)));
}

// Scale and bias of eight channels.
struct HalfScale {
  float16x8_t scale, bias;
  HalfScale(const Epilogue& e, int channel)
      : scale(halves(e.scales + channel)), bias(halves(e.biases + channel)) {}
  GDQ_INLINE float16x8_t operator()(float16x8_t sum) const { return sum * scale + bias; }
};

// Writes whole tiles of a stream that is the sum of a residual and what was computed, and nothing
// else: the body's end. Rounds to half precision before it rounds to the steps of the stream.
class StreamWriter {
 public:
  static GDQ_INLINE bool takes(const Convolution& layer) {
    constexpr float kMostFactor = 1.9f;  // times 2^15 is still a number of half precision
    const Epilogue& e = *layer.epilogue;
    return e.flags == (kResidual | kStream) && e.block == 1 && e.residual_factor <= kMostFactor &&
           e.residual_factor >= -kMostFactor;
  }
  GDQ_INLINE StreamWriter(const Convolution& layer, int channel, int vector)
      : e_(*layer.epilogue),
        scaled_(e_, channel + vector * 8),
        factor_((__fp16)e_.residual_factor),
        residual_(e_.residual + channel + vector * 8),
        stream_(e_.stream + channel + vector * 8) {}
  template <int Count>
  GDQ_INLINE void write(int row, int column, const float16x8_t (&y)[Count]) const {
    const int16_t* residual = residual_ + row * e_.residual_pitch + (ptrdiff_t)column * e_.channels;
    int16_t* stream = stream_ + row * e_.stream_pitch + (ptrdiff_t)column * e_.channels;
    unroll<Count>([&](auto i) GDQ_ALWAYS {
      const float16x8_t old = vcvtq_f16_s16(vld1q_s16(residual + i * e_.residual_pitch));
      const float16x8_t sum = vfmaq_n_f16(scaled_(y[i]), old, factor_);
      vst1q_s16(stream + i * e_.stream_pitch, vcvtnq_s16_f16(sum));
    });
  }

 private:
  const Epilogue& e_;
  HalfScale scaled_;
  __fp16 factor_;
  const int16_t* residual_;
  int16_t* stream_;
};

// Writes whole tiles of a picture upscaled by two: 12 channels, those of two rows of two pixels.
class PictureWriter {
 public:
  static GDQ_INLINE bool takes(const Convolution& layer) {
    return layer.epilogue->picture && layer.epilogue->block == 2;
  }
  GDQ_INLINE PictureWriter(const Convolution& layer, int channel, int vector)
      : scaled_(*layer.epilogue, channel + vector * 8),
        is_second_(vector == 1),
        pitch_((ptrdiff_t)layer.epilogue->width * 6),
        picture_(layer.epilogue->picture) {}
  template <int Count>
  GDQ_INLINE void write(int row, int column, const float16x8_t (&y)[Count]) const {
    unroll<Count>([&](auto i) GDQ_ALWAYS {
      // At 1.5 * 2^10 a number of half precision has no fraction bits left: the addition rounds.
      constexpr __fp16 kNoFraction = 1536;
      const float16x8_t level =
          vminq_f16(vmaxq_f16(scaled_(y[i]), vdupq_n_f16(0)), vdupq_n_f16(255));
      const uint8x8_t bytes = vmovn_u16(vreinterpretq_u16_f16(level + kNoFraction));
      uint8_t* to = picture_ + 2 * (row + i) * pitch_ + (ptrdiff_t)column * 6;
      const uint16x4_t pairs = vreinterpret_u16_u8(bytes);
      const uint32x2_t fours = vreinterpret_u32_u8(bytes);
      if (is_second_) {
        vst1_lane_u32((uint32_t*)(to + pitch_ + 2), fours, 0);
      } else {
        vst1_lane_u32((uint32_t*)to, fours, 0);
        vst1_lane_u16((uint16_t*)(to + 4), pairs, 2);
        vst1_lane_u16((uint16_t*)(to + pitch_), pairs, 3);
      }
    });
  }

 private:
  HalfScale scaled_;
  bool is_second_;
  ptrdiff_t pitch_;
  uint8_t* picture_;
};

template <class TilesWriter>
struct Half {
  using Writer = TilesWriter;
  using Element = __fp16;
  using V = float16x8_t;
  static constexpr int kLanes = 8, kSteps = 8;
  static constexpr int kGroups = 2, kTiles = kRealTiles;
  using Data = V;

  static GDQ_INLINE void convert(const int16_t* from, ptrdiff_t count, float, Element* to) {
    for (ptrdiff_t i = 0; i < count; i += 16) {
      store(to + i, vcvtq_n_f16_s16(vld1q_s16(from + i), kHalfShift));
      store(to + i + 8, vcvtq_n_f16_s16(vld1q_s16(from + i + 8), kHalfShift));
    }
  }
  template <int Step>
  static GDQ_INLINE V dot(V sum, V weights, Data data) {
    return vfmaq_laneq_f16(sum, weights, data, Step);
  }
  static GDQ_INLINE void store_sums(float* to, V sums) {
    vst1q_f32(to, vcvt_f32_f16(vget_low_f16(sums)));
    vst1q_f32(to + 4, vcvt_high_f32_f16(sums));
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

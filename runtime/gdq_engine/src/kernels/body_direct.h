// Body layers without a transform: all nine taps of some pixels in registers, read where they lie
// in the map. The end is a multiplication in float.
#pragma once

#include "kernels/body.h"
#include "kernels/body_transformed.h"
#include "kernels/finish.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// Adds the products of Pixels neighbouring pixels. A vector of one pixel's channels serves three
// taps. from: the first pixel's top left tap; weights: (3 rows, channels / step, 3 columns, step).
template <int Pixels, class Channels>
GDQ_INLINE void add_direct_products(const int8_t* from, ptrdiff_t pitch, Channels channels,
                                    const int8_t* weights, Isa::I32 (&sums)[Pixels][2]) {
  constexpr int kDepth = 4 * Isa::kSteps8, kTap = Isa::kSteps8 * 2 * Isa::kBytes;
  for (int y = 0; y < 3; y++, from += pitch)
    for (int k = 0; k < channels; k += kDepth, weights += 3 * kTap) {
      Isa::Data8 x[Pixels + 2];
      unroll<Pixels + 2>([&](auto t)
                             GDQ_ALWAYS { x[t] = Isa::data8(from + (ptrdiff_t)t * channels + k); });
      unroll<3>([&](auto tap) GDQ_ALWAYS {
        unroll<Isa::kSteps8>([&](auto s) GDQ_ALWAYS {
          const int8_t* w = weights + tap * kTap + s * 2 * Isa::kBytes;
          unroll<Pixels>([&](auto t) GDQ_ALWAYS {
            sums[t][0] = Isa::template dot4<s>(sums[t][0], w, x[t + tap]);
          });
          unroll<Pixels>([&](auto t) GDQ_ALWAYS {
            sums[t][1] = Isa::template dot4<s>(sums[t][1], w + Isa::kBytes, x[t + tap]);
          });
        });
        GDQ_PIN;
      });
    }
}

// Pixels from (row, column) on, one group; those before `first` are there already.
template <int Pixels, End kEnd, class Channels>
GDQ_INLINE void direct_pixels(const BodyLayer& layer, const RealFinish<kEnd>& finish,
                              Channels channels, const int8_t* weights, const int32_t* start,
                              int row, int column, int oc, int first) {
  Isa::I32 sums[Pixels][2];
  unroll<Pixels>([&](auto t) GDQ_ALWAYS {
    sums[t][0] = load<Isa::I32>(start);
    sums[t][1] = load<Isa::I32>(start + Isa::kLanes);
  });
  add_direct_products<Pixels>(
      layer.source + (row - 1) * layer.pitch + ((ptrdiff_t)column - 1) * channels, layer.pitch,
      channels, weights, sums);
  const ptrdiff_t pixel = layer.out_channels, at = column * pixel + oc;
  int8_t* codes = layer.codes + row * layer.codes_pitch + at;
  int16_t* stream = layer.stream + row * layer.stream_pitch + at;
  const int16_t* residual = layer.residual + row * layer.residual_pitch + at;
  unroll<Pixels>([&](auto t) GDQ_ALWAYS {
    if (t >= first)
      finish.write(finish.scaled(Isa::real(sums[t][0]), Isa::real(sums[t][1])), codes + t * pixel,
                   stream + t * pixel, residual + t * pixel);
  });
}

template <End kEnd, class Channels>
void direct_rows(const BodyLayer& layer, Channels channels) {
  constexpr int kPixels = Isa::kBodyRows;
  for (int oc = 0; oc < layer.out_channels; oc += kBodyGroup) {
    const RealFinish<kEnd> finish(layer, oc);
    const int8_t* weights = layer.weights + (ptrdiff_t)oc * 9 * channels;
    const int32_t* start = layer.start + oc;
    for (int y = 0; y < layer.height; y++) {
      int x = 0;
      for (; x + kPixels <= layer.width; x += kPixels)
        direct_pixels<kPixels>(layer, finish, channels, weights, start, y, x, oc, 0);
      if (x < layer.width && layer.width >= kPixels)
        direct_pixels<kPixels>(layer, finish, channels, weights, start, y, layer.width - kPixels,
                               oc, x + kPixels - layer.width);
      else
        for (; x < layer.width; x++)
          direct_pixels<1>(layer, finish, channels, weights, start, y, x, oc, 0);
    }
  }
}

inline void body_direct(const BodyLayer& layer) {
  with_channels(layer.in_channels, [&](auto channels) GDQ_ALWAYS {
    if (!layer.stream)
      direct_rows<End::kCodes>(layer, channels);
    else if (!layer.codes)
      direct_rows<End::kStream>(layer, channels);
    else
      direct_rows<End::kStreamAndCodes>(layer, channels);
  });
}

}  // namespace GDQ_ISA
}  // namespace gdq

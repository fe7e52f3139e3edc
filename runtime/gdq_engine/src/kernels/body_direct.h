// Body layers without a transform: all nine taps of some pixels in registers, read where they lie
// in the map. The end is a multiplication in float.
#pragma once

#include "kernels/body.h"
#include "kernels/body_sums.h"
#include "kernels/finish.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// Pixels from (row, column) on, one group; those before `first` are there already.
template <int Pixels, End kEnd, class Channels>
GDQ_INLINE void direct_pixels(const BodyLayer& layer, const RealFinish<kEnd>& finish,
                              Channels channels, const int8_t* weights, const int32_t* start,
                              int row, int column, int oc, int first) {
  BodySums<Pixels> sums;
  sums.start(start);
  constexpr int kDepth = BodySums<Pixels>::kDepth;
  const ptrdiff_t pitch = layer.pitch;
  const int8_t* from = layer.source + (row - 1) * pitch + ((ptrdiff_t)column - 1) * channels;
  for (int y = 0; y < 3; y++, from += pitch)
    for (int k = 0; k < channels; k += kDepth, weights += 3 * kDepth * kBodyGroup)
      sums.add_taps(from + k, channels, weights);
  Isa::I16 whole[Pixels];
  sums.scale(finish, whole);
  const ptrdiff_t pixel = layer.out_channels, at = column * pixel + oc;
  int8_t* codes = layer.codes + row * layer.codes_pitch + at;
  int16_t* stream = layer.stream + row * layer.stream_pitch + at;
  const int16_t* residual = layer.residual + row * layer.residual_pitch + at;
  unroll<Pixels>([&](auto t) GDQ_ALWAYS {
    if (t >= first)
      finish.write(whole[t], codes + t * pixel, stream + t * pixel, residual + t * pixel);
  });
}

template <End kEnd, class Channels>
void direct_rows(const BodyLayer& layer, Channels channels) {
  constexpr int kPixels = Isa::kBodyRows;
  for (int oc = 0; oc < layer.out_channels; oc += kBodyGroup) {
    const RealFinish<kEnd> finish(layer, oc);
    const int8_t* weights = layer.weights + (ptrdiff_t)oc * 9 * channels;
    int32_t start[BodySums<kPixels>::kStarts];
    BodySums<kPixels>::spread_start(layer.start + oc, start);
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

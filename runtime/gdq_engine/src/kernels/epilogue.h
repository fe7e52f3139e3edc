// What becomes of a convolution's sums, in float: scale and bias, activation, residual, and writing
// as stream, codes or picture. Maps keep their border: nothing outside the map is written.
#pragma once

#include "kernels/convolution.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

GDQ_INLINE Isa::F32 load_stream(const int16_t* from) {
  return __builtin_convertvector(load<Vector<int16_t, Isa::kLanes>>(from), Isa::F32);
}

GDQ_INLINE int at_most(int a, int b) { return a < b ? a : b; }

// One group of channels of all pixels. What it reads of the epilogue is copied first: the compiler
// cannot know that the maps it writes do not hold it.
template <unsigned Flags>
GDQ_INLINE void finish_group(const Epilogue& e, const Sums& sums, int rows, int columns, int oc) {
  // Behind depth-to-space, a pixel's channels are those of one of its block * block subpixels.
  const int channels = e.block == 1 ? e.channels : e.channels / (e.block * e.block);
  const int subpixel = e.block == 1 ? 0 : oc / channels;
  const ptrdiff_t top = (ptrdiff_t)sums.row * e.block + subpixel / e.block;
  const ptrdiff_t left = (ptrdiff_t)sums.column * e.block + subpixel % e.block;
  const ptrdiff_t corner = left * channels + oc - subpixel * channels,
                  step = (ptrdiff_t)e.block * channels;
  const Isa::F32 scale = load<Isa::F32>(e.scales + oc), bias = load<Isa::F32>(e.biases + oc);
  Isa::F32 slope{}, gain{}, shift{};
  if constexpr (Flags & kActivation) {
    slope = load<Isa::F32>(e.slopes + oc);
    gain = load<Isa::F32>(e.gains + oc);
    shift = load<Isa::F32>(e.shifts + oc);
  }
  const float residual_factor = e.residual_factor, codes_scale = e.codes_scale;
  const float codes_zero = e.codes_zero;
  const ptrdiff_t column_pitch = sums.column_pitch;
  const typename Isa::CodeRange range(e.codes_low, e.codes_high);
  for (int r = 0; r < rows; r++) {
    const ptrdiff_t y = top + (ptrdiff_t)r * e.block;
    const float* from = sums.first + r * sums.row_pitch + oc - sums.channel;
    const int16_t* residual = e.residual + y * e.residual_pitch + corner;
    int16_t* stream = e.stream + y * e.stream_pitch + corner;
    int8_t* codes = e.codes + y * e.codes_pitch + corner;
    for (int c = 0; c < columns; c++, from += column_pitch) {
      Isa::F32 x = load<Isa::F32>(from) * scale + bias;
      if constexpr (Flags & kActivation) {
        const Isa::F32 zero{};
        x = larger(x, zero) + smaller(x, zero) * slope;
        x = x * gain + shift;
      }
      if constexpr (Flags & kResidual)
        x = load_stream(residual) * residual_factor + x, residual += step;
      if constexpr (Flags & kStream) Isa::store_stream(stream, x), stream += step;
      if constexpr (Flags & kCodes) range.store(codes, x * codes_scale + codes_zero), codes += step;
    }
  }
}

template <unsigned Flags>
void finish(const Epilogue& e, const Sums& sums) {
  const int rows = at_most(e.height - sums.row, sums.rows);
  const int columns = at_most(e.width - sums.column, sums.columns);
  const int end = at_most(e.channels, sums.channel + sums.channels);
  for (int oc = sums.channel; oc < end; oc += Isa::kLanes)
    finish_group<Flags>(e, sums, rows, columns, oc);
}

// The last layer's: 3 * block^2 channels to an RGB picture without a border.
constexpr int kPixelChannels = 48;  // at the largest factor, 4

inline void finish_picture(const Epilogue& e, const Sums& sums) {
  const int rows = at_most(e.height - sums.row, sums.rows);
  const int columns = at_most(e.width - sums.column, sums.columns);
  const ptrdiff_t pitch = (ptrdiff_t)e.width * e.block * 3;
  const int end = at_most(e.channels, sums.channel + sums.channels), line = e.block * 3;
  // Where each channel goes, from the first of its pixel on.
  ptrdiff_t places[kPixelChannels];
  for (int oc = sums.channel; oc < end; oc++)
    places[oc - sums.channel] = oc / line * pitch + oc % line;
  for (int r = 0; r < rows; r++) {
    uint8_t* to =
        e.picture + (ptrdiff_t)(sums.row + r) * e.block * pitch + (ptrdiff_t)sums.column * line;
    for (int c = 0; c < columns; c++, to += line) {
      int32_t pixels[kPixelChannels];
      const float* from = sums.first + r * sums.row_pitch + c * sums.column_pitch;
      for (int oc = sums.channel; oc < end; oc += Isa::kLanes, from += Isa::kLanes) {
        Isa::F32 x =
            load<Isa::F32>(from) * load<Isa::F32>(e.scales + oc) + load<Isa::F32>(e.biases + oc);
        x = smaller(larger(x, Isa::F32{}), all<Isa::F32>(255.0f));
        store(pixels + oc - sums.channel, round_to_even<Isa::kLanes>(x));
      }
      for (int i = 0; i < end - sums.channel; i++) to[places[i]] = (uint8_t)pixels[i];
    }
  }
}

}  // namespace GDQ_ISA
}  // namespace gdq

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

GDQ_INLINE void store_stream(int16_t* to, Isa::F32 x) {
  x = smaller(larger(x, all<Isa::F32>(-32767.0f)), all<Isa::F32>(32767.0f));
  store(to, __builtin_convertvector(round_to_even<Isa::kLanes>(x), Vector<int16_t, Isa::kLanes>));
}

GDQ_INLINE void store_codes(const Epilogue& e, int8_t* to, Isa::F32 x) {
  x = x * e.codes_scale + e.codes_zero;
  x = smaller(larger(x, all<Isa::F32>(e.codes_low)), all<Isa::F32>(e.codes_high));
  store(to, __builtin_convertvector(round_to_even<Isa::kLanes>(x), Vector<int8_t, Isa::kLanes>));
}

template <unsigned Flags>
void finish(const Epilogue& e, const Sums& sums) {
  const int rows = e.height - sums.row < sums.rows ? e.height - sums.row : sums.rows;
  const int columns = e.width - sums.column < sums.columns ? e.width - sums.column : sums.columns;
  // Behind depth-to-space, a pixel's channels are those of one of its block * block subpixels.
  const int channels = e.channels / (e.block * e.block);
  for (int oc = 0; oc < e.channels; oc += Isa::kLanes) {
    const Isa::F32 scale = load<Isa::F32>(e.scales + oc), bias = load<Isa::F32>(e.biases + oc);
    const int subpixel = oc / channels, channel = oc % channels;
    const ptrdiff_t top = (ptrdiff_t)sums.row * e.block + subpixel / e.block;
    const ptrdiff_t left = (ptrdiff_t)sums.column * e.block + subpixel % e.block;
    for (int r = 0; r < rows; r++) {
      const float* from = sums.first + r * sums.row_pitch + oc;
      const ptrdiff_t y = top + (ptrdiff_t)r * e.block;
      for (int c = 0; c < columns; c++) {
        Isa::F32 x = load<Isa::F32>(from + c * sums.column_pitch) * scale + bias;
        const ptrdiff_t place = (left + (ptrdiff_t)c * e.block) * channels + channel;
        if constexpr (Flags & kActivation) {
          const Isa::F32 zero{};
          x = larger(x, zero) + smaller(x, zero) * load<Isa::F32>(e.slopes + oc);
          x = x * load<Isa::F32>(e.gains + oc) + load<Isa::F32>(e.shifts + oc);
        }
        if constexpr (Flags & kResidual)
          x = load_stream(e.residual + y * e.residual_pitch + place) * e.residual_factor + x;
        if constexpr (Flags & kStream) store_stream(e.stream + y * e.stream_pitch + place, x);
        if constexpr (Flags & kCodes) store_codes(e, e.codes + y * e.codes_pitch + place, x);
      }
    }
  }
}

// The last layer's: 3 * block^2 channels to an RGB picture without a border.
inline void finish_picture(const Epilogue& e, const Sums& sums) {
  constexpr int kMost = 48;  // channels at the largest factor, 4
  const int rows = e.height - sums.row < sums.rows ? e.height - sums.row : sums.rows;
  const int columns = e.width - sums.column < sums.columns ? e.width - sums.column : sums.columns;
  const ptrdiff_t pitch = (ptrdiff_t)e.width * e.block * 3;
  for (int r = 0; r < rows; r++) {
    for (int c = 0; c < columns; c++) {
      int32_t pixels[kMost];
      const float* from = sums.first + r * sums.row_pitch + c * sums.column_pitch;
      for (int oc = 0; oc < e.channels; oc += Isa::kLanes) {
        Isa::F32 x = load<Isa::F32>(from + oc) * load<Isa::F32>(e.scales + oc) +
                     load<Isa::F32>(e.biases + oc);
        x = smaller(larger(x, Isa::F32{}), all<Isa::F32>(255.0f));
        store(pixels + oc, round_to_even<Isa::kLanes>(x));
      }
      uint8_t* to = e.picture + (ptrdiff_t)(sums.row + r) * e.block * pitch +
                    (ptrdiff_t)(sums.column + c) * e.block * 3;
      for (int y = 0; y < e.block; y++)
        for (int i = 0; i < e.block * 3; i++)
          to[y * pitch + i] = (uint8_t)pixels[y * e.block * 3 + i];
    }
  }
}

}  // namespace GDQ_ISA
}  // namespace gdq

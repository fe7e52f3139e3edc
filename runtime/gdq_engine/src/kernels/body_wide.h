// Body layers by an algorithm whose data needs 16 bits and whose output transform works in float,
// for instruction sets that multiply bytes slowly, and for wide codes. Sums stay in 32 bits.
#pragma once

#include "kernels/body.h"
#include "kernels/body_transformed.h"
#include "kernels/finish.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// All points of one group. start: where sums begin at the last of them, the others at zero.
template <class Channels>
void multiply_wide(const int16_t* data, Channels channels, const int16_t* weights,
                   const int32_t* start, int points, int blocks, int32_t* sums) {
  constexpr int kRows = Isa::kBodyRows, kDepth = 2 * Isa::kSteps16;
  for (int p = 0; p < points; p++) {
    for (int b = 0; b < blocks; b++) {
      Isa::I32 acc[kRows][2];
      unroll<kRows>([&](auto t) GDQ_ALWAYS {
        unroll<2>([&](auto v) GDQ_ALWAYS {
          acc[t][v] = p + 1 < points ? Isa::I32{} : load<Isa::I32>(start + v * Isa::kLanes);
        });
      });
      const int16_t* from = data + (ptrdiff_t)b * kRows * channels;
      const int16_t* w = weights;
      for (int k = 0; k < channels; k += kDepth) {
        Isa::Data16 x[kRows];
        // Data that serves several steps is loaded before them, other data where it is needed.
        const auto read = [&](auto t) GDQ_ALWAYS {
          x[t] = Isa::data16(from + (ptrdiff_t)t * channels + k);
        };
        if constexpr (Isa::kSteps16 > 1) unroll<kRows>(read);
        unroll<Isa::kSteps16>([&](auto s) GDQ_ALWAYS {
          unroll<kRows>([&](auto t) GDQ_ALWAYS {
            if constexpr (Isa::kSteps16 == 1) read(t);
            acc[t][0] = Isa::template dot2<s>(acc[t][0], w, x[t]);
            acc[t][1] = Isa::template dot2<s>(acc[t][1], w + Isa::kBytes / 2, x[t]);
          });
          w += Isa::kBytes;
        });
        GDQ_PIN;
      }
      unroll<kRows>([&](auto t) GDQ_ALWAYS {
        store(sums + (b * kRows + t) * kBodyGroup, acc[t][0]);
        store(sums + (b * kRows + t) * kBodyGroup + Isa::kLanes, acc[t][1]);
      });
    }
    data += (ptrdiff_t)kBodyTiles * channels;
    weights += (ptrdiff_t)kBodyGroup * channels;
    sums += kBodyTiles * kBodyGroup;
  }
}

// The outputs of one tile in one vector of channels.
template <class Rows, class Columns>
GDQ_INLINE void wide_outputs(const int32_t* sums,
                             Isa::F32 (&y)[Rows::kOutputs][Columns::kOutputs]) {
  using V = Isa::F32;
  V half[Rows::kPoints][Columns::kOutputs];
  unroll<Rows::kPoints>([&](auto i) GDQ_ALWAYS {
    V p[Columns::kPoints];
    unroll<Columns::kPoints>([&](auto j) GDQ_ALWAYS {
      constexpr int kSlot = kOrder<Rows, Columns>.slot(i * Columns::kPoints + j);
      p[j] = __builtin_convertvector(load<Isa::I32>(sums + kSlot * kBodyTiles * kBodyGroup), V);
    });
    Columns::output(p, half[i]);
  });
  unroll<Columns::kOutputs>([&](auto x) GDQ_ALWAYS {
    V p[Rows::kPoints], v[Rows::kOutputs];
    unroll<Rows::kPoints>([&](auto i) GDQ_ALWAYS { p[i] = half[i][x]; });
    Rows::output(p, v);
    unroll<Rows::kOutputs>([&](auto i) GDQ_ALWAYS { y[i][x] = v[i]; });
  });
}

// One tile of one group, of which `rows` x `columns` outputs lie in the map.
template <class Rows, class Columns, End kEnd>
GDQ_INLINE void write_wide_tile(const int32_t* sums, const BodyLayer& layer,
                                const RealFinish<kEnd>& finish, const Target& to, int rows,
                                int columns) {
  Isa::F32 low[Rows::kOutputs][Columns::kOutputs];
  Isa::F32 high[Rows::kOutputs][Columns::kOutputs];
  wide_outputs<Rows, Columns>(sums, low);
  wide_outputs<Rows, Columns>(sums + Isa::kLanes, high);
  const ptrdiff_t codes_pitch = layer.codes_pitch, stream_pitch = layer.stream_pitch;
  const ptrdiff_t residual_pitch = layer.residual_pitch, pixel = layer.out_channels;
  unroll<Rows::kOutputs>([&](auto y) GDQ_ALWAYS {
    unroll<Columns::kOutputs>([&](auto x) GDQ_ALWAYS {
      if (y < rows && x < columns)
        finish.write(finish.scaled(low[y][x], high[y][x]), to.codes + y * codes_pitch + x * pixel,
                     to.stream + y * stream_pitch + x * pixel,
                     to.residual + y * residual_pitch + x * pixel);
    });
  });
}

template <class Rows, class Columns, End kEnd>
void write_wide_tiles(const BodyLayer& layer, int oc, Place place, int across, int count,
                      const int32_t* sums) {
  const RealFinish<kEnd> finish(layer, oc);
  for (int t = 0; t < count; t++, sums += kBodyGroup, place.advance(across)) {
    const ptrdiff_t y = (ptrdiff_t)place.row * Rows::kOutputs;
    const ptrdiff_t x = (ptrdiff_t)place.column * Columns::kOutputs;
    const ptrdiff_t at = x * layer.out_channels + oc;
    const Target to{layer.codes + y * layer.codes_pitch + at,
                    layer.stream + y * layer.stream_pitch + at,
                    layer.residual + y * layer.residual_pitch + at};
    write_wide_tile<Rows, Columns, kEnd>(sums, layer, finish, to, layer.height - (int)y,
                                         layer.width - (int)x);
  }
}

template <class Rows, class Columns>
void body_wide(const BodyLayer& layer) {
  constexpr int kPoints = kOrder<Rows, Columns>.count();
  const AnyChannels channels{layer.in_channels};
  int16_t* data = static_cast<int16_t*>(layer.scratch);
  int32_t* sums = reinterpret_cast<int32_t*>(data + (ptrdiff_t)kPoints * kBodyTiles * channels);
  const int across = (layer.width + Columns::kOutputs - 1) / Columns::kOutputs;
  const int tiles = across * ((layer.height + Rows::kOutputs - 1) / Rows::kOutputs);
  Place place;
  for (int block = 0; block < tiles; block += kBodyTiles) {
    const int count = tiles - block < kBodyTiles ? tiles - block : kBodyTiles;
    const int blocks = (count + Isa::kBodyRows - 1) / Isa::kBodyRows;
    constexpr int kMost = Isa::kBytes / 2;
    if (channels % kMost == 0)
      read_body_tiles<Rows, Columns, Vector<int16_t, kMost>, RowLayout>(layer, channels, place,
                                                                        across, count, data);
    else
      read_body_tiles<Rows, Columns, Vector<int16_t, 16>, RowLayout>(layer, channels, place, across,
                                                                     count, data);
    const int16_t* weights = reinterpret_cast<const int16_t*>(layer.weights);
    for (int oc = 0; oc < layer.out_channels; oc += kBodyGroup) {
      multiply_wide(data, channels, weights, layer.start + oc, kPoints, blocks, sums);
      weights += (ptrdiff_t)kPoints * kBodyGroup * channels;
      if (!layer.stream)
        write_wide_tiles<Rows, Columns, End::kCodes>(layer, oc, place, across, count, sums);
      else if (!layer.codes)
        write_wide_tiles<Rows, Columns, End::kStream>(layer, oc, place, across, count, sums);
      else
        write_wide_tiles<Rows, Columns, End::kStreamAndCodes>(layer, oc, place, across, count,
                                                              sums);
    }
    for (int t = 0; t < count; t++) place.advance(across);
  }
}

}  // namespace GDQ_ISA
}  // namespace gdq

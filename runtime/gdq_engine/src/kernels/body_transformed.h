// Body layers by fast convolution: input transform, products at each point, output transform, end,
// for some tiles at a time. Tiles are taken in linear order across the rows of a map, so that only
// the last block has gaps. In a block everything lies as it is read: sums as (group of output
// channels, point, tile, channel), weights and points in the order of kernels/points.h.
#pragma once

#include "kernels/body.h"
#include "kernels/body_sums.h"
#include "kernels/finish.h"
#include "kernels/points.h"
#include "kernels/transforms.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

constexpr int kBodyTiles = Isa::kBodyRows * Isa::kBodyBlocks;

// ---- input transform ----

// As many channels of one tile as V has elements. Rows are read again for each group of points,
// which costs less than keeping them.
template <class Rows, class Columns, class V, class Layout, class Channels, class Element>
GDQ_INLINE void read_body_tile(const int8_t* corner, ptrdiff_t pitch, Channels channels,
                               Element* data) {
  const auto read = [](const int8_t* from) GDQ_ALWAYS {
    if constexpr (sizeof(Element) == 1)
      return load<V>(from);
    else
      return __builtin_convertvector(load<Vector<int8_t, sizeof(V) / sizeof(Element)>>(from), V);
  };
  const ptrdiff_t slot_pitch = (ptrdiff_t)kBodyTiles * channels;
  unroll<Rows::kGroups>([&](auto group) GDQ_ALWAYS {
    constexpr int kFirst = Rows::kGroupFirst[group], kCount = Rows::kGroupFirst[group + 1] - kFirst;
    V half[kCount][Columns::kInputs];
    unroll<Columns::kInputs>([&](auto x) GDQ_ALWAYS {
      V v[kCount];
      const int8_t* column = corner + (ptrdiff_t)x * channels;
      Rows::template input_group<group>([&](int y) GDQ_ALWAYS { return read(column + y * pitch); },
                                        v);
      unroll<kCount>([&](auto i) GDQ_ALWAYS { half[i][x] = v[i]; });
    });
    unroll<kCount>([&](auto i) GDQ_ALWAYS {
      V v[Columns::kPoints];
      Columns::input(half[i], v);
      unroll<Columns::kPoints>([&](auto j) GDQ_ALWAYS {
        constexpr int kSlot = kOrder<Rows, Columns>.slot((kFirst + i) * Columns::kPoints + j);
        if constexpr (sizeof(Element) == 1 && Isa::kUnsignedData)
          v[j] = v[j] ^ all<V>((int8_t)-128);
        Layout::write(data + kSlot * slot_pitch, v[j]);
      });
    });
    GDQ_PIN;
  });
}

// A tile's place in the map, in tiles.
struct Place {
  int row = 0, column = 0;
  GDQ_INLINE void advance(int across) {
    if (++column == across) column = 0, row++;
  }
};

template <class Rows, class Columns, class V, class Layout, class Channels, class Element>
void read_body_tiles(const BodyLayer& layer, Channels channels, Place place, int across, int count,
                     Element* data) {
  constexpr int kCount = sizeof(V) / sizeof(Element);
  for (int t = 0; t < count; t++, place.advance(across)) {
    const int8_t* corner = layer.source + (place.row * Rows::kOutputs - 1) * layer.pitch +
                           ((ptrdiff_t)place.column * Columns::kOutputs - 1) * channels;
    for (int c = 0; c < channels; c += kCount)
      read_body_tile<Rows, Columns, V, Layout>(corner + c, layer.pitch, channels,
                                               data + Layout::at(t, c, channels));
  }
}

// ---- products ----

// `points` points of one group. start: where their sums begin, each `start_pitch` behind the last.
template <int Shift, class Channels>
void multiply_body(const int8_t* data, Channels channels, const int8_t* weights,
                   const int32_t* start, ptrdiff_t start_pitch, int points, int blocks,
                   int16_t* sums) {
  constexpr int kRows = Isa::kBodyRows;
  for (int p = 0; p < points; p++) {
    for (int b = 0; b < blocks; b++) {
      BodySums<kRows> block;
      block.start(start);
      block.add_products(data + (ptrdiff_t)b * kRows * channels, channels, weights);
      block.template store_narrowed<Shift>(sums + b * kRows * kBodyGroup);
    }
    data += (ptrdiff_t)kBodyTiles * channels;
    weights += (ptrdiff_t)kBodyGroup * channels;
    sums += kBodyTiles * kBodyGroup;
    start += start_pitch;
  }
}

// ---- output transform and end ----

// One tile, one group. sums: its own at the first point.
template <class Rows, class Columns, End kEnd>
GDQ_INLINE void write_body_tile(const int16_t* sums, const Finish<kEnd>& finish, const Target& to,
                                ptrdiff_t codes_pitch, ptrdiff_t stream_pitch,
                                ptrdiff_t residual_pitch, ptrdiff_t pixel) {
  using V = Isa::I16;
  V half[Rows::kPoints][Columns::kOutputs];
  unroll<Rows::kPoints>([&](auto i) GDQ_ALWAYS {
    V p[Columns::kPoints];
    unroll<Columns::kPoints>([&](auto j) GDQ_ALWAYS {
      constexpr int kSlot = kOrder<Rows, Columns>.slot(i * Columns::kPoints + j);
      p[j] = load<V>(sums + kSlot * kBodyTiles * kBodyGroup);
    });
    Columns::halved_output(p, half[i]);
  });
  unroll<Columns::kOutputs>([&](auto x) GDQ_ALWAYS {
    V p[Rows::kPoints], y[Rows::kOutputs];
    unroll<Rows::kPoints>([&](auto i) GDQ_ALWAYS { p[i] = half[i][x]; });
    Rows::halved_output(p, y);
    unroll<Rows::kOutputs>([&](auto i) GDQ_ALWAYS {
      finish.write(y[i], to.codes + i * codes_pitch + x * pixel,
                   to.stream + i * stream_pitch + x * pixel,
                   to.residual + i * residual_pitch + x * pixel);
    });
  });
}

// A tile of which only some rows and columns lie in the map goes through a copy.
template <class Rows, class Columns, End kEnd>
__attribute__((noinline)) void write_body_edge(const int16_t* sums, const BodyLayer& layer,
                                               const Finish<kEnd>& finish, const Target& to,
                                               int rows, int columns) {
  constexpr int kPitch = Columns::kOutputs * kBodyGroup;
  int8_t codes[Rows::kOutputs * kPitch];
  int16_t stream[Rows::kOutputs * kPitch];
  const ptrdiff_t channels = layer.out_channels;
  const auto each_pixel = [&](auto&& body) GDQ_ALWAYS {
    for (int y = 0; y < rows; y++)
      for (int x = 0; x < columns; x++) body(y, x, (y * Columns::kOutputs + x) * kBodyGroup);
  };
  if constexpr (kEnd != End::kCodes)
    each_pixel([&](int y, int x, int at) GDQ_ALWAYS {
      __builtin_memcpy(stream + at, to.residual + y * layer.residual_pitch + x * channels,
                       kBodyGroup * sizeof(int16_t));
    });
  write_body_tile<Rows, Columns, kEnd>(sums, finish, {codes, stream, stream}, kPitch, kPitch,
                                       kPitch, kBodyGroup);
  each_pixel([&](int y, int x, int at) GDQ_ALWAYS {
    if constexpr (kEnd != End::kStream)
      __builtin_memcpy(to.codes + y * layer.codes_pitch + x * channels, codes + at, kBodyGroup);
    if constexpr (kEnd != End::kCodes)
      __builtin_memcpy(to.stream + y * layer.stream_pitch + x * channels, stream + at,
                       kBodyGroup * sizeof(int16_t));
  });
}

template <class Rows, class Columns, End kEnd, class Channels>
void write_body_tiles(const BodyLayer& layer, Channels channels, int oc, Place place, int across,
                      int count, const int16_t* sums) {
  const Finish<kEnd> finish(layer, oc);
  const ptrdiff_t codes_pitch = layer.codes_pitch, stream_pitch = layer.stream_pitch;
  const ptrdiff_t residual_pitch = layer.residual_pitch;
  for (int t = 0; t < count; t++, sums += kBodyGroup, place.advance(across)) {
    const ptrdiff_t y = (ptrdiff_t)place.row * Rows::kOutputs;
    const ptrdiff_t x = (ptrdiff_t)place.column * Columns::kOutputs, at = x * channels + oc;
    const Target to{layer.codes + y * codes_pitch + at, layer.stream + y * stream_pitch + at,
                    layer.residual + y * residual_pitch + at};
    const int rows = layer.height - (int)y, columns = layer.width - (int)x;
    if (rows >= Rows::kOutputs && columns >= Columns::kOutputs)
      write_body_tile<Rows, Columns, kEnd>(sums, finish, to, codes_pitch, stream_pitch,
                                           residual_pitch, channels);
    else
      write_body_edge<Rows, Columns, kEnd>(
          sums, layer, finish, to, rows < Rows::kOutputs ? rows : Rows::kOutputs,
          columns < Columns::kOutputs ? columns : Columns::kOutputs);
  }
}

// ---- all of it ----

template <class Channels>
using MultiplyBody = void (*)(const int8_t*, Channels, const int8_t*, const int32_t*, ptrdiff_t,
                              int, int, int16_t*);

template <class Channels, int... Shifts>
struct MultiplyTable {
  static constexpr MultiplyBody<Channels> kFunctions[] = {multiply_body<Shifts, Channels>...};
};
template <class Channels>
using MultiplyByShift = MultiplyTable<Channels, 0, 1, 2, 3, 4, 5, 6, 7, 8>;
static_assert(kMostNarrowing + 2 == 8, "a function for every shift");

template <class Rows, class Columns, class Channels>
GDQ_INLINE void run_body(const BodyLayer& layer, Channels channels) {
  using Sums = BodySums<Isa::kBodyRows>;
  using Layout = typename Sums::Layout;
  constexpr PointOrder kPoints = kOrder<Rows, Columns>;
  int8_t* data = static_cast<int8_t*>(layer.scratch);
  int16_t* sums =
      reinterpret_cast<int16_t*>(data + (ptrdiff_t)kPoints.count() * kBodyTiles * channels);
  int32_t* zeros = reinterpret_cast<int32_t*>(sums + kPoints.count() * kBodyTiles * kBodyGroup);
  int32_t* first = zeros + Isa::kBodyRows * kBodyGroup;
  const int across = (layer.width + Columns::kOutputs - 1) / Columns::kOutputs;
  const int tiles = across * ((layer.height + Rows::kOutputs - 1) / Rows::kOutputs);
  if constexpr (Isa::kStartsPerRow)
    __builtin_memset(zeros, 0, Isa::kBodyRows * kBodyGroup * sizeof(int32_t));
  Place place;
  for (int block = 0; block < tiles; block += kBodyTiles) {
    const int count = tiles - block < kBodyTiles ? tiles - block : kBodyTiles;
    const int blocks = (count + Isa::kBodyRows - 1) / Isa::kBodyRows;
    constexpr int kMost =
        Channels::value > 0 && Channels::value < Isa::kBytes ? Channels::value : Isa::kBytes;
    if (channels % kMost == 0)
      read_body_tiles<Rows, Columns, Vector<int8_t, kMost>, Layout>(layer, channels, place, across,
                                                                    count, data);
    else
      read_body_tiles<Rows, Columns, Vector<int8_t, 16>, Layout>(layer, channels, place, across,
                                                                 count, data);
    const int8_t* weights = layer.weights;
    const int32_t* start = layer.start;
    for (int oc = 0; oc < layer.out_channels; oc += kBodyGroup) {
      const int8_t* from = data;
      int16_t* to = sums;
      const auto multiply = [&](int shift, const int32_t* begin, ptrdiff_t pitch, int points) {
        MultiplyByShift<Channels>::kFunctions[shift](from, channels, weights, begin, pitch, points,
                                                     blocks, to);
        from += (ptrdiff_t)points * kBodyTiles * channels;
        to += points * kBodyTiles * kBodyGroup;
        weights += (ptrdiff_t)points * kBodyGroup * channels;
      };
      unroll<3>([&](auto halvings) GDQ_ALWAYS {
        constexpr int kCount = kPoints.count(halvings);
        // The constant's point is the last of all.
        constexpr bool kLast = kPoints.halvings(Columns::kPoints + 1) == halvings;
        const int shift = layer.narrowing + halvings;
        if constexpr (Isa::kStartsPerRow) {
          if constexpr (kCount > 0) multiply(shift, zeros, 0, kCount - (kLast ? 1 : 0));
          if constexpr (kLast) {
            Sums::spread_start(start, first);
            multiply(shift, first, 0, 1);
            start += kBodyGroup;
          }
        } else if constexpr (kCount > 0) {
          multiply(shift, start, kBodyGroup, kCount);
          start += kCount * kBodyGroup;
        }
      });
      with_channels(layer.out_channels, [&](auto out) GDQ_ALWAYS {
        if (!layer.stream)
          write_body_tiles<Rows, Columns, End::kCodes>(layer, out, oc, place, across, count, sums);
        else if (!layer.codes)
          write_body_tiles<Rows, Columns, End::kStream>(layer, out, oc, place, across, count, sums);
        else
          write_body_tiles<Rows, Columns, End::kStreamAndCodes>(layer, out, oc, place, across,
                                                                count, sums);
      });
    }
    for (int t = 0; t < count; t++) place.advance(across);
  }
}

template <class Rows, class Columns>
void body_transformed(const BodyLayer& layer) {
  with_channels(layer.in_channels,
                [&](auto channels) { run_body<Rows, Columns>(layer, channels); });
}

}  // namespace GDQ_ISA
}  // namespace gdq

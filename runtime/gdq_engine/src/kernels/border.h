// The outermost ring of pixels of a layer whose weights differ there (FORMAT.md, places). Taps that
// lie outside the map see zeros: they are left out.
//
// Weights are (9 places, kernel, kernel, in_channels, out_channels), biases (9 places,
// out_channels).
#pragma once

#include "kernels/convolution.h"
#include "kernels/epilogue.h"
#include "kernels/products.h"
#include "kernels/real.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// Pixels that share their weights: from (row, column) on, `count` of them, down a column or along a
// row.
struct Edge {
  int place, row, column, count;
  bool down;
};

// Taps from `first` up to `end` in one direction.
struct Taps {
  int first, end;
  // side: 0 where the map begins, 2 where it ends, 1 between.
  GDQ_INLINE Taps(int kernel, int side)
      : first(side == 0 ? kernel / 2 : 0), end(side == 2 ? kernel / 2 + 1 : kernel) {}
  GDQ_INLINE int count() const { return end - first; }
};

// Rows x columns pixels of a stream from (row, column) on, as floats.
GDQ_INLINE void copy_stream(const Convolution& layer, int row, int column, int rows, int columns,
                            float* to) {
  const int count = columns * layer.in_channels;
  for (int y = 0; y < rows; y++, to += count) {
    const int16_t* from = static_cast<const int16_t*>(layer.source) + (row + y) * layer.pitch +
                          (ptrdiff_t)column * layer.in_channels;
    for (int i = 0; i < count; i += 16)
      store(to + i,
            __builtin_convertvector(load<Vector<int16_t, 16>>(from + i), Vector<float, 16>) *
                layer.step);
  }
}

// The same of a picture, which has no border in memory.
GDQ_INLINE void copy_picture(const Convolution& layer, int row, int column, int rows, int columns,
                             float* to) {
  const int channels = layer.in_channels;
  for (int y = row; y < row + rows; y++)
    for (int x = column; x < column + columns; x++) {
      const bool outside = y < 0 || y >= layer.height || x < 0 || x >= layer.width;
      const uint8_t* from =
          static_cast<const uint8_t*>(layer.source) + y * layer.pitch + (ptrdiff_t)x * channels;
      for (int c = 0; c < channels; c++) *to++ = outside ? 0.0f : (float)from[c];
    }
}

// Sums of kPixelsTogether pixels. data: what the first one sees at its first tap, rows of
// `row_pitch` elements; pixel_pitch: elements from one pixel to the next.
template <class Dot>
GDQ_INLINE void multiply_edge(const Convolution& layer, const float* data, ptrdiff_t row_pitch,
                              ptrdiff_t pixel_pitch, const char* weights, Taps rows, Taps columns,
                              float* outputs) {
  const ptrdiff_t in = layer.in_channels, out = layer.out_channels, weight_pitch = out * 4;
  const int depth = columns.count() * (int)in, channels = layer.epilogue->channels;
  weights += (rows.first * layer.kernel + columns.first) * in * weight_pitch;
  int oc = 0;
  auto groups = [&](auto count) GDQ_ALWAYS {
    constexpr int kGroups = decltype(count)::value, kAtOnce = Isa::kTiles / kGroups;
    constexpr int kTiles = kAtOnce < kPixelsTogether ? kAtOnce : kPixelsTogether;
    for (; oc < channels && oc + kGroups * Isa::kLanes <= out; oc += kGroups * Isa::kLanes) {
      if (kGroups > 1 && oc + (kGroups - 1) * Isa::kLanes >= channels) return;
      for (int t = 0; t < kPixelsTogether; t += kTiles) {
        Isa::F32 sums[kTiles][kGroups] = {};
        const char* w = weights + oc * 4;
        for (int y = 0; y < rows.count(); y++, w += layer.kernel * in * weight_pitch)
          accumulate<Dot, kTiles, kGroups>(data + y * row_pitch + t * pixel_pitch, pixel_pitch, w,
                                           weight_pitch, depth, sums);
        unroll<kTiles>([&](auto i) GDQ_ALWAYS {
          unroll<kGroups>([&](auto g) GDQ_ALWAYS {
            store(outputs + (t + i) * out + oc + g * Isa::kLanes, sums[i][g]);
          });
        });
      }
    }
  };
  if constexpr (Isa::kGroups >= 2) groups(Index<2>{});
  groups(Index<1>{});
}

// Up to kEdgePixels pixels.
template <class Dot, class Copy>
GDQ_INLINE void run_part(const Convolution& layer, const Edge& edge, Copy&& copy) {
  const ptrdiff_t in = layer.in_channels, out = layer.out_channels;
  const int kernel = layer.kernel, half = kernel / 2;
  const Taps rows(kernel, edge.place / 3), columns(kernel, edge.place % 3);
  const int along = edge.count - 1, copied_columns = columns.count() + (edge.down ? 0 : along);
  float* data = static_cast<float*>(layer.scratch);
  float* outputs = data + edge_elements(kernel, layer.in_channels);
  copy(layer, edge.row + rows.first - half, edge.column + columns.first - half,
       rows.count() + (edge.down ? along : 0), copied_columns, data);
  const ptrdiff_t row_pitch = copied_columns * in, pixel_pitch = edge.down ? row_pitch : in;
  const char* weights = static_cast<const char*>(layer.weights) +
                        edge.place * kernel * kernel * in * out * (ptrdiff_t)sizeof(float);
  Epilogue epilogue = *layer.epilogue;
  epilogue.biases += edge.place * out;
  for (int first = 0; first < edge.count; first += kPixelsTogether) {
    const int count = at_most(edge.count - first, kPixelsTogether);
    multiply_edge<Dot>(layer, data + first * pixel_pitch, row_pitch, pixel_pitch, weights, rows,
                       columns, outputs);
    if (edge.down)
      layer.finish(epilogue, {outputs, out, 0, edge.row + first, edge.column, count, 1});
    else
      layer.finish(epilogue, {outputs, 0, out, edge.row, edge.column + first, 1, count});
  }
}

template <class Dot, class Copy>
GDQ_INLINE void run_border(const Convolution& layer, Copy&& copy) {
  const int bottom = layer.height - 1, right = layer.width - 1;
  const Edge edges[] = {
      {0, 0, 0, 1, false},
      {1, 0, 1, right - 1, false},
      {2, 0, right, 1, false},
      {3, 1, 0, bottom - 1, true},
      {5, 1, right, bottom - 1, true},
      {6, bottom, 0, 1, false},
      {7, bottom, 1, right - 1, false},
      {8, bottom, right, 1, false},
  };
  for (Edge edge : edges)
    for (int left = edge.count; left > 0; left -= kEdgePixels) {
      edge.count = at_most(left, kEdgePixels);
      run_part<Dot>(layer, edge, copy);
      (edge.down ? edge.row : edge.column) += kEdgePixels;
    }
}

inline void border(const Convolution& layer) { run_border<Dot1>(layer, copy_stream); }

inline void picture_border(const Convolution& layer) { run_border<DotSingle>(layer, copy_picture); }

}  // namespace GDQ_ISA
}  // namespace gdq

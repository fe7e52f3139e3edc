// Convolution without a transform, row by row: integer 3x3, and real ones of any side.
#pragma once

#include "kernels/convolution.h"
#include "kernels/epilogue.h"
#include "kernels/products.h"
#include "kernels/transformed.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// Copies of the last `kernel` rows of the source in the form that products take.
template <class Element>
class RowRing {
 public:
  RowRing(const Convolution& layer, int kernel)
      : kernel_(kernel),
        pitch_(((ptrdiff_t)layer.width + kernel + kPixelsTogether) * layer.in_channels),
        rows_(static_cast<Element*>(layer.scratch)) {}

  const Element* row(int y) const { return rows_ + (y + kernel_) % kernel_ * pitch_; }
  Element* slot(int y) { return rows_ + (y + kernel_) % kernel_ * pitch_; }
  // The first element behind the ring, aligned.
  float* end() const { return reinterpret_cast<float*>(rows_ + (kernel_ * pitch_ + 63) / 64 * 64); }

 private:
  int kernel_;
  ptrdiff_t pitch_;
  Element* rows_;
};

GDQ_INLINE void copy_row(const Convolution& layer, int y, int kernel, int8_t* to) {
  const int half = kernel / 2, count = (layer.width + 2 * half) * layer.in_channels;
  const int8_t* from =
      static_cast<const int8_t*>(layer.source) + y * layer.pitch - half * layer.in_channels;
  const int8_t flip = Isa::kUnsignedData ? -128 : 0;
  for (int i = 0; i < count; i += 16)
    store(to + i, load<Vector<int8_t, 16>>(from + i) ^ (Vector<int8_t, 16>{} + flip));
}

GDQ_INLINE void copy_stream_row(const Convolution& layer, int y, float* to) {
  const int half = layer.kernel / 2, count = (layer.width + 2 * half) * layer.in_channels;
  const int16_t* from =
      static_cast<const int16_t*>(layer.source) + y * layer.pitch - half * layer.in_channels;
  for (int i = 0; i < count; i += 16)
    store(to + i, __builtin_convertvector(load<Vector<int16_t, 16>>(from + i), Vector<float, 16>) *
                      layer.step);
}

// Sums of kPixelsTogether pixels of one row, all output channels.
// outputs: (pixels, out_channels), float.
template <class Dot>
GDQ_INLINE void multiply_pixels(const Convolution& layer,
                                const RowRing<typename Dot::Element>& ring, int row, int column,
                                int kernel, float* outputs) {
  using V = typename Dot::SumVector;
  const int depth = kernel * layer.in_channels;
  const ptrdiff_t weight_pitch = (ptrdiff_t)layer.out_channels * 4;
  const ptrdiff_t row_bytes = depth / Dot::kTogether * weight_pitch;
  int oc = 0;
  auto groups = [&](auto count) GDQ_ALWAYS {
    constexpr int kGroups = decltype(count)::value;
    constexpr int kTiles =
        Isa::kTiles / kGroups < kPixelsTogether ? Isa::kTiles / kGroups : kPixelsTogether;
    for (; oc + kGroups * Isa::kLanes <= layer.out_channels; oc += kGroups * Isa::kLanes) {
      for (int t = 0; t < kPixelsTogether; t += kTiles) {
        V acc[kTiles][kGroups];
        unroll<kGroups>([&](auto g) GDQ_ALWAYS {
          const V first = layer.start ? load<V>(layer.start + oc + g * Isa::kLanes) : V{};
          unroll<kTiles>([&](auto i) GDQ_ALWAYS { acc[i][g] = first; });
        });
        for (int y = 0; y < kernel; y++)
          accumulate<Dot, kTiles, kGroups>(
              ring.row(row + y - kernel / 2) + (ptrdiff_t)(column + t) * layer.in_channels,
              layer.in_channels, static_cast<const char*>(layer.weights) + y * row_bytes + oc * 4,
              weight_pitch, depth, acc);
        unroll<kTiles>([&](auto i) GDQ_ALWAYS {
          unroll<kGroups>([&](auto g) GDQ_ALWAYS {
            store(outputs + (ptrdiff_t)(t + i) * layer.out_channels + oc + g * Isa::kLanes,
                  __builtin_convertvector(acc[i][g], Isa::F32));
          });
        });
      }
    }
  };
  if constexpr (Isa::kGroups >= 4) groups(Index<4>{});
  if constexpr (Isa::kGroups >= 2) groups(Index<2>{});
  groups(Index<1>{});
}

// The same with at most kNarrowChannels output channels: vectors run along the input channels.
// Weights are (kernel, kNarrowChannels, kernel * in_channels).
inline void multiply_narrow(const Convolution& layer, const RowRing<float>& ring, int row,
                            int column, int kernel, float* outputs) {
  constexpr int kMost = kNarrowChannels, kTiles = Isa::kTiles / kMost;
  const int depth = kernel * layer.in_channels;
  for (int t = 0; t < kPixelsTogether; t += kTiles) {
    Isa::F32 acc[kTiles][kMost] = {};
    for (int y = 0; y < kernel; y++) {
      const float* data =
          ring.row(row + y - kernel / 2) + (ptrdiff_t)(column + t) * layer.in_channels;
      const float* weights =
          static_cast<const float*>(layer.weights) + (ptrdiff_t)y * kMost * depth;
      for (int k = 0; k < depth; k += Isa::kLanes)
        unroll<kTiles>([&](auto i) GDQ_ALWAYS {
          const auto x = load<Isa::F32>(data + i * layer.in_channels + k);
          unroll<kMost>(
              [&](auto o) GDQ_ALWAYS { acc[i][o] += x * load<Isa::F32>(weights + o * depth + k); });
        });
    }
    for (int i = 0; i < kTiles; i++)
      for (int o = 0; o < kMost; o++) {
        float sum = 0;
        for (int lane = 0; lane < Isa::kLanes; lane++) sum += acc[i][o][lane];
        outputs[(ptrdiff_t)(t + i) * layer.out_channels + o] = sum;
      }
  }
}

// Runs `multiply` over all pixels, with the rows it needs read by `copy`.
template <class Element, class Copy, class Multiply>
GDQ_INLINE void run_rows(const Convolution& layer, int kernel, Copy&& copy, Multiply&& multiply) {
  RowRing<Element> ring(layer, kernel);
  float* outputs = ring.end();
  const int half = kernel / 2;
  for (int y = -half; y < half; y++) copy(y, ring.slot(y));
  for (int y = 0; y < layer.height; y++) {
    copy(y + half, ring.slot(y + half));
    for (int x = 0; x < layer.width; x += kPixelsTogether) {
      multiply(ring, y, x, outputs);
      layer.finish(*layer.epilogue, {outputs, 0, layer.out_channels, y, x, 1, kPixelsTogether});
    }
  }
}

struct Direct;

template <class Rows>
struct IsDirect {
  static constexpr bool value = false;
};
template <>
struct IsDirect<Direct> {
  static constexpr bool value = true;
};

template <>
struct Transformed<Direct, Direct, int8_t> {
  static void run(const Convolution& layer) {
    constexpr int kKernel = 3;
    run_rows<int8_t>(
        layer, kKernel, [&](int y, int8_t* to) { copy_row(layer, y, kKernel, to); },
        [&](const RowRing<int8_t>& ring, int y, int x, float* outputs) {
          multiply_pixels<Dot4>(layer, ring, y, x, kKernel, outputs);
        });
  }
};

inline void real_direct(const Convolution& layer) {
  run_rows<float>(
      layer, layer.kernel, [&](int y, float* to) { copy_stream_row(layer, y, to); },
      [&](const RowRing<float>& ring, int y, int x, float* outputs) {
        multiply_pixels<Dot1>(layer, ring, y, x, layer.kernel, outputs);
      });
}

inline void real_narrow(const Convolution& layer) {
  run_rows<float>(
      layer, layer.kernel, [&](int y, float* to) { copy_stream_row(layer, y, to); },
      [&](const RowRing<float>& ring, int y, int x, float* outputs) {
        multiply_narrow(layer, ring, y, x, layer.kernel, outputs);
      });
}

// A run of border pixels that share their weights: from (row, column) on, `count` of them, down a
// column or along a row.
struct Edge {
  int place, row, column, count;
  bool down;
};

// What a pixel of a stream sees: (kernel, kernel, channels).
GDQ_INLINE void copy_stream_patch(const Convolution& layer, int row, int column, float* to) {
  const int half = layer.kernel / 2, line = layer.kernel * layer.in_channels;
  for (int y = 0; y < layer.kernel; y++) {
    const int16_t* from = static_cast<const int16_t*>(layer.source) +
                          (row + y - half) * layer.pitch +
                          ((ptrdiff_t)column - half) * layer.in_channels;
    for (int k = 0; k < line; k += 16)
      store(to + y * line + k,
            __builtin_convertvector(load<Vector<int16_t, 16>>(from + k), Vector<float, 16>) *
                layer.step);
  }
}

// The same of a picture, which has no border in memory.
GDQ_INLINE void copy_picture_patch(const Convolution& layer, int row, int column, float* to) {
  const int half = layer.kernel / 2, channels = layer.in_channels;
  for (int y = row - half; y <= row + half; y++)
    for (int x = column - half; x <= column + half; x++) {
      const bool outside = y < 0 || y >= layer.height || x < 0 || x >= layer.width;
      const uint8_t* from =
          static_cast<const uint8_t*>(layer.source) + y * layer.pitch + (ptrdiff_t)x * channels;
      for (int c = 0; c < channels; c++) *to++ = outside ? 0.0f : (float)from[c];
    }
}

template <class Dot, class Copy>
GDQ_INLINE void run_edge(const Convolution& layer, const Edge& edge, Copy&& copy) {
  const int depth = layer.kernel * layer.kernel * layer.in_channels;
  float* patches = static_cast<float*>(layer.scratch);
  float* outputs = patches + (ptrdiff_t)kPixelsTogether * depth;
  const char* weights = static_cast<const char*>(layer.weights) +
                        (ptrdiff_t)edge.place * depth * layer.out_channels * sizeof(float);
  Epilogue epilogue = *layer.epilogue;
  epilogue.biases += (ptrdiff_t)edge.place * layer.out_channels;
  for (int first = 0; first < edge.count; first += kPixelsTogether) {
    const int count = at_most(edge.count - first, kPixelsTogether);
    const int row = edge.row + (edge.down ? first : 0),
              column = edge.column + (edge.down ? 0 : first);
    for (int i = 0; i < count; i++)
      copy(row + (edge.down ? i : 0), column + (edge.down ? 0 : i), patches + (ptrdiff_t)i * depth);
    multiply<Dot>(patches, depth, weights, nullptr, kPixelsTogether, layer.out_channels, outputs);
    const ptrdiff_t pitch = layer.out_channels;
    if (edge.down)
      layer.finish(epilogue, {outputs, pitch, 0, row, column, count, 1});
    else
      layer.finish(epilogue, {outputs, 0, pitch, row, column, 1, count});
  }
}

// Replaces the outermost ring of pixels. Weights are (9 places, depth, out_channels), biases
// (9 places, out_channels).
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
  for (const Edge& edge : edges) run_edge<Dot>(layer, edge, copy);
}

inline void real_border(const Convolution& layer) {
  run_border<Dot1>(layer, [&](int row, int column, float* to)
                              GDQ_ALWAYS { copy_stream_patch(layer, row, column, to); });
}

inline void real_picture_border(const Convolution& layer) {
  run_border<DotSingle>(layer, [&](int row, int column, float* to)
                                   GDQ_ALWAYS { copy_picture_patch(layer, row, column, to); });
}

}  // namespace GDQ_ISA
}  // namespace gdq

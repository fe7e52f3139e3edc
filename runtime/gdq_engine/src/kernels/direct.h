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

}  // namespace GDQ_ISA
}  // namespace gdq

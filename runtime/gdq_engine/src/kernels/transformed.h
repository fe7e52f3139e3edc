// Convolution by transforms of rows and columns: input transform, products at each point, output
// transform, epilogue, for some tiles at a time.
#pragma once

#include "kernels/convolution.h"
#include "kernels/products.h"
#include "kernels/transforms.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// How elements of the source become elements of the transform: Count channels at a time.
template <class Element, int Count>
struct Reader;

template <int Count>
struct Reader<int8_t, Count> {
  using V = Vector<int8_t, Count>;
  explicit Reader(const Convolution&) {}
  GDQ_INLINE V read(const int8_t* from) const { return load<V>(from); }
};
template <int Count>
struct Reader<int16_t, Count> {
  using V = Vector<int16_t, Count>;
  explicit Reader(const Convolution&) {}
  GDQ_INLINE V read(const int8_t* from) const {
    return __builtin_convertvector(load<Vector<int8_t, Count>>(from), V);
  }
};
template <class Rows, class Columns, class Element>
struct Transformed {
  using Dot = typename DotOf<Element>::Type;
  using Sum = typename Dot::Sum;
  static constexpr int kPoints = Rows::kPoints * Columns::kPoints;
  static constexpr int kTogether = kTilesTogether;
  static constexpr int kLine = 64 / sizeof(Sum);
  static constexpr int kBorder = Rows::kInputs - Rows::kOutputs;  // kernel side minus one

  static void run(const Convolution& layer) {
    Element* data = static_cast<Element*>(layer.scratch);
    Sum* sums = reinterpret_cast<Sum*>(data + (ptrdiff_t)kPoints * kTogether * layer.in_channels);
    float* outputs = reinterpret_cast<float*>(
        sums + kPoints * ((ptrdiff_t)kTogether * layer.out_channels + kLine));
    const int across = (layer.width + Columns::kOutputs - 1) / Columns::kOutputs;
    for (int row = 0; row < layer.height; row += Rows::kOutputs) {
      for (int first = 0; first < across; first += kTogether) {
        const int tiles = across - first < kTogether ? across - first : kTogether;
        const int computed = (tiles + kTileStep - 1) / kTileStep * kTileStep;
        // One line more than a multiple of the cache's own stride, or all points of a tile would
        // compete for the same few places in it.
        const ptrdiff_t point_pitch = (ptrdiff_t)computed * layer.out_channels + kLine;
        read_tiles(layer, row, first, tiles, computed, data);
        for (int p = 0; p < kPoints; p++)
          multiply<Dot>(data + (ptrdiff_t)p * computed * layer.in_channels, layer.in_channels,
                        static_cast<const char*>(layer.weights) +
                            (ptrdiff_t)p * layer.in_channels * layer.out_channels * sizeof(Element),
                        layer.start ? layer.start + p * layer.out_channels : nullptr, computed,
                        layer.out_channels, sums + p * point_pitch);
        for (int t = 0; t < tiles; t++) {
          write_tile(layer, sums + (ptrdiff_t)t * layer.out_channels, point_pitch, outputs);
          layer.finish(*layer.epilogue, {outputs, (ptrdiff_t)Columns::kOutputs * layer.out_channels,
                                         layer.out_channels, row, (first + t) * Columns::kOutputs,
                                         Rows::kOutputs, Columns::kOutputs});
        }
      }
    }
  }

  // data: (points, computed, in_channels); tiles from `tiles` on are zero: what another layer left
  // there could overflow, or be slow where it reads as denormal floats.
  static GDQ_INLINE void read_tiles(const Convolution& layer, int row, int first, int tiles,
                                    int computed, Element* data) {
    constexpr int kMost = Isa::kBytes / (int)sizeof(Element);
    with_divisor<(kMost < 16 ? 16 : kMost), 16>(layer.in_channels, [&](auto divisor) GDQ_ALWAYS {
      constexpr int kCount = kMost < 16 ? kMost : decltype(divisor)::value;
      const ptrdiff_t point_pitch = (ptrdiff_t)computed * layer.in_channels;
      if (tiles < computed)
        for (int p = 0; p < kPoints; p++)
          __builtin_memset(data + p * point_pitch + (ptrdiff_t)tiles * layer.in_channels, 0,
                           (size_t)(computed - tiles) * layer.in_channels * sizeof(Element));
      for (int t = 0; t < tiles; t++) {
        const int8_t* corner =
            static_cast<const int8_t*>(layer.source) + (row - kBorder / 2) * layer.pitch +
            ((ptrdiff_t)(first + t) * Columns::kOutputs - kBorder / 2) * layer.in_channels;
        for (int c = 0; c < layer.in_channels; c += kCount)
          read_tile<kCount>(layer, corner + c, data + (ptrdiff_t)t * layer.in_channels + c,
                            point_pitch);
      }
    });
  }

  template <int Count>
  static GDQ_INLINE void read_tile(const Convolution& layer, const int8_t* corner, Element* data,
                                   ptrdiff_t point_pitch) {
    using V = Vector<Element, Count>;
    const Reader<Element, Count> reader(layer);
    V half[Rows::kPoints][Columns::kInputs];
    unroll<Columns::kInputs>([&](auto x) GDQ_ALWAYS {
      V d[Rows::kInputs], v[Rows::kPoints];
      unroll<Rows::kInputs>([&](auto y) GDQ_ALWAYS {
        d[y] = reader.read(corner + y * layer.pitch + (ptrdiff_t)x * layer.in_channels);
      });
      Rows::input(d, v);
      unroll<Rows::kPoints>([&](auto i) GDQ_ALWAYS { half[i][x] = v[i]; });
    });
    unroll<Rows::kPoints>([&](auto i) GDQ_ALWAYS {
      V v[Columns::kPoints];
      Columns::input(half[i], v);
      unroll<Columns::kPoints>([&](auto j) GDQ_ALWAYS {
        if constexpr (sizeof(Element) == 1 && Isa::kUnsignedData)
          v[j] = v[j] ^ (V{} + (int8_t)-128);
        store(data + (i * Columns::kPoints + j) * point_pitch, v[j]);
      });
    });
  }

  // sums: this tile's at the first point; outputs: (rows, columns, out_channels).
  static GDQ_INLINE void write_tile(const Convolution& layer, const Sum* sums,
                                    ptrdiff_t point_pitch, float* outputs) {
    using V = typename Dot::SumVector;
    constexpr bool kInteger = Rows::kIntegerOutput && Columns::kIntegerOutput;
    for (int oc = 0; oc < layer.out_channels; oc += Isa::kLanes) {
      if constexpr (kInteger) {
        transform_output<V>(layer, sums + oc, point_pitch, outputs + oc);
      } else {
        transform_output<Isa::F32>(layer, sums + oc, point_pitch, outputs + oc);
      }
    }
  }

  template <class V>
  static GDQ_INLINE void transform_output(const Convolution& layer, const Sum* sums,
                                          ptrdiff_t point_pitch, float* outputs) {
    V half[Rows::kOutputs][Columns::kPoints];
    unroll<Columns::kPoints>([&](auto j) GDQ_ALWAYS {
      V p[Rows::kPoints], y[Rows::kOutputs];
      unroll<Rows::kPoints>([&](auto i) GDQ_ALWAYS {
        const auto sum =
            load<typename Dot::SumVector>(sums + (i * Columns::kPoints + j) * point_pitch);
        p[i] = __builtin_convertvector(sum, V);
      });
      Rows::output(p, y);
      unroll<Rows::kOutputs>([&](auto i) GDQ_ALWAYS { half[i][j] = y[i]; });
    });
    unroll<Rows::kOutputs>([&](auto i) GDQ_ALWAYS {
      V y[Columns::kOutputs];
      Columns::output(half[i], y);
      unroll<Columns::kOutputs>([&](auto j) GDQ_ALWAYS {
        store(outputs + (i * Columns::kOutputs + j) * layer.out_channels,
              __builtin_convertvector(y[j], Isa::F32));
      });
    });
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

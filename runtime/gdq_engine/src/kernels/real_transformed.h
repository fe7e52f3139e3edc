// Convolution of a stream by transforms of rows and columns, in float or in half precision: what
// `Numbers` says. Eight tiles at a time, in linear order across the rows of tiles, so that none is
// computed in vain whatever the map's width.
//
// Weights are (out_channels / channels of a block, points, in_channels, channels of a block), data
// is (points, tiles, in_channels), sums are (points, tiles, channels of a block): what reads them
// only goes forward.
#pragma once

#include "kernels/convolution.h"
#include "kernels/real.h"
#include "kernels/real_algorithms.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// What may become of a tile's outputs without the epilogue's help, see half.h: nothing.
struct ThroughFloats {
  static GDQ_INLINE bool takes(const Convolution&) { return false; }
};

// float: numbers of 32 bits.
struct Single {
  using Element = float;
  using V = Isa::F32;
  static constexpr int kLanes = Isa::kLanes, kSteps = Isa::kStepsReal;
  // Tiles and vectors of output channels whose sums are in registers together.
  static constexpr int kGroups = Isa::kGroups < 2 ? Isa::kGroups : 2;
  static constexpr int kTiles =
      Isa::kTiles / kGroups < kRealTiles ? Isa::kTiles / kGroups : kRealTiles;
  using Data = Isa::DataReal;

  // The real values of an int16 stream.
  static GDQ_INLINE void convert(const int16_t* from, ptrdiff_t count, float step, Element* to) {
    for (ptrdiff_t i = 0; i < count; i += 16)
      unroll<16 / kLanes>([&](auto k) GDQ_ALWAYS {
        const auto words = load<Vector<int16_t, kLanes>>(from + i + k * kLanes);
        store(to + i + k * kLanes, __builtin_convertvector(words, V) * step);
      });
  }
  template <int Step>
  static GDQ_INLINE V dot(V sum, V weights, Data data) {
    return Isa::template dot1<Step>(sum, weights, data);
  }
  static GDQ_INLINE void store_sums(float* to, V sums) { store(to, sums); }
  // None, beside handing sums to the epilogue.
  using Writer = ThroughFloats;
};

template <class Numbers, class Algorithm>
struct RealTransformed {
  using Element = typename Numbers::Element;
  using V = typename Numbers::V;
  static constexpr int kOutputs = Algorithm::kOutputs, kInputs = Algorithm::kInputs;
  static constexpr int kPoints = Algorithm::kPoints, kHalf = (kInputs - kOutputs) / 2;
  static constexpr int kLanes = Numbers::kLanes, kBlock = kRealBlock;
  static constexpr int kBlockVectors = kBlock / kLanes;

  const Convolution& layer;
  const ptrdiff_t in, across, band_pitch, point_pitch;
  Element *band, *data, *sums;
  float* outputs;

  explicit RealTransformed(const Convolution& layer)
      : layer(layer),
        in(layer.in_channels),
        across((layer.width + kOutputs - 1) / kOutputs),
        band_pitch(real_band_pitch(kOutputs, kInputs, layer.width, layer.in_channels)),
        point_pitch(kRealTiles * in + 64 / (ptrdiff_t)sizeof(Element)),
        band(static_cast<Element*>(layer.scratch)),
        data(band + kInputs * band_pitch),
        sums(data + kPoints * kPoints * point_pitch),
        outputs(reinterpret_cast<float*>(sums + kPoints * kPoints * kRealTiles * kBlock)) {}

  struct Place {
    int row, column;
  };
  GDQ_INLINE void advance(Place& place) const {
    if (++place.column == across) place.column = 0, place.row++;
  }

  // Row y of the source, converted, lies in the place of one that is no longer needed.
  GDQ_INLINE Element* band_row(int y) const { return band + (y + kInputs) % kInputs * band_pitch; }

  void convert_rows(int first, int count) const {
    for (int y = first; y < first + count; y++)
      Numbers::convert(static_cast<const int16_t*>(layer.source) + y * layer.pitch - kHalf * in,
                       (across * kOutputs + kInputs - kOutputs) * in, layer.step, band_row(y));
  }

  template <int Group>
  GDQ_INLINE void read_group(const Element* const* rows, ptrdiff_t offset, Element* to) const {
    const ptrdiff_t in = this->in, point_pitch = this->point_pitch;
    constexpr int kFirst = Algorithm::kFirst[Group], kCount = Algorithm::kFirst[Group + 1] - kFirst;
    V half[kCount][kInputs];
    unroll<kInputs>([&](auto x) GDQ_ALWAYS {
      V v[kCount];
      const auto read = [&](int y) GDQ_ALWAYS { return load<V>(rows[y] + offset + x * in); };
      Algorithm::template input<Group, Element>(read, v);
      unroll<kCount>([&](auto i) GDQ_ALWAYS { half[i][x] = v[i]; });
    });
    unroll<kCount>([&](auto i) GDQ_ALWAYS {
      unroll<Algorithm::kGroups>([&](auto group) GDQ_ALWAYS {
        constexpr int kLeft = Algorithm::kFirst[group];
        V v[Algorithm::kLargestGroup];
        const auto read = [&](int x) GDQ_ALWAYS { return half[i][x]; };
        Algorithm::template input<decltype(group)::value, Element>(read, v);
        unroll<Algorithm::kFirst[group + 1] - kLeft>([&](auto j) GDQ_ALWAYS {
          store(to + ((kFirst + i) * kPoints + kLeft + j) * point_pitch, v[j]);
        });
      });
    });
  }

  GDQ_INLINE void read_tile(Place place, Element* to) const {
    const Element* rows[kInputs];
    for (int y = 0; y < kInputs; y++) rows[y] = band_row(place.row * kOutputs - kHalf + y);
    const ptrdiff_t left = place.column * kOutputs * in;
    for (ptrdiff_t c = 0; c < in; c += kLanes)
      unroll<Algorithm::kGroups>([&](auto group) GDQ_ALWAYS {
        read_group<decltype(group)::value>(rows, left + c, to + c);
        keep_order();
      });
  }

  // Sums of one point, and vectors of kGroups of a block from `group` on.
  GDQ_INLINE void multiply(const Element* from, const Element* weights, Element* to) const {
    constexpr int kTiles = Numbers::kTiles;
    // A block may be fewer vectors than registers would hold.
    constexpr int kGroups = Numbers::kGroups < kBlockVectors ? Numbers::kGroups : kBlockVectors;
    const ptrdiff_t in = this->in;  // else it is read again behind each keep_order()
    for (int t = 0; t < kRealTiles; t += kTiles)
      for (int g = 0; g < kBlockVectors; g += kGroups) {
        V acc[kTiles][kGroups] = {};
        const Element *d = from + t * in, *w = weights + g * kLanes;
        for (ptrdiff_t k = 0; k < in; k += Numbers::kSteps, d += Numbers::kSteps) {
          typename Numbers::Data x[kTiles];
          unroll<kTiles>([&](auto i)
                             GDQ_ALWAYS { x[i] = load<typename Numbers::Data>(d + i * in); });
          unroll<Numbers::kSteps>([&](auto step) GDQ_ALWAYS {
            V one[kGroups];
            unroll<kGroups>([&](auto j) GDQ_ALWAYS { one[j] = load<V>(w + j * kLanes); });
            keep_order();
            w += kBlock;
            unroll<kTiles>([&](auto i) GDQ_ALWAYS {
              unroll<kGroups>([&](auto j) GDQ_ALWAYS {
                acc[i][j] = Numbers::template dot<decltype(step)::value>(acc[i][j], one[j], x[i]);
              });
            });
          });
        }
        unroll<kTiles>([&](auto i) GDQ_ALWAYS {
          unroll<kGroups>([&](auto j) GDQ_ALWAYS {
            store(to + (t + i) * kBlock + (g + j) * kLanes, acc[i][j]);
          });
        });
      }
  }

  // `write` gets a column of outputs. from: this tile's sums at the first point.
  template <class Write>
  static GDQ_INLINE void transform_output(const Element* from, Write&& write) {
    V half[kPoints][kOutputs];
    unroll<kPoints>([&](auto i) GDQ_ALWAYS {
      V p[kPoints];
      unroll<kPoints>([&](auto j) GDQ_ALWAYS {
        p[j] = load<V>(from + (i * kPoints + j) * kRealTiles * kBlock);
      });
      Algorithm::template output<Element>(p, half[i]);
    });
    unroll<kOutputs>([&](auto x) GDQ_ALWAYS {
      V p[kPoints], y[kOutputs];
      unroll<kPoints>([&](auto i) GDQ_ALWAYS { p[i] = half[i][x]; });
      Algorithm::template output<Element>(p, y);
      write(x, y);
    });
  }

  GDQ_INLINE bool is_whole(Place place) const {
    return (place.row + 1) * kOutputs <= layer.height &&
           (place.column + 1) * kOutputs <= layer.width;
  }

  GDQ_INLINE void hand_over(Place place, const Element* from, int channel) const {
    for (int c = 0; c < kBlock; c += kLanes)
      transform_output(from + c, [&](auto x, const V(&y)[kOutputs]) GDQ_ALWAYS {
        unroll<kOutputs>([&](auto i) GDQ_ALWAYS {
          Numbers::store_sums(outputs + (i * kOutputs + x) * kBlock + c, y[i]);
        });
      });
    layer.finish(*layer.epilogue, {outputs, kOutputs * kBlock, kBlock, place.row * kOutputs,
                                   place.column * kOutputs, kOutputs, kOutputs, channel, kBlock});
  }

  // Sums of some tiles and kBlock channels.
  template <class Writer>
  GDQ_INLINE void write_block(Place place, int count, int channel) const {
    for (int t = 0; t < count; t++, advance(place)) {
      if constexpr (!IsSame<Writer, ThroughFloats>::value)
        if (is_whole(place)) {
          unroll<kBlockVectors>([&](auto v) GDQ_ALWAYS {
            const Writer writer(layer, channel, v);
            transform_output(sums + t * kBlock + v * kLanes,
                             [&](auto x, const V(&y)[kOutputs]) GDQ_ALWAYS {
                               writer.write(place.row * kOutputs, place.column * kOutputs + x, y);
                             });
          });
          continue;
        }
      hand_over(place, sums + t * kBlock, channel);
    }
  }

  template <class Writer>
  void run() const {
    const int rows = (layer.height + kOutputs - 1) / kOutputs, tiles = rows * (int)across;
    // Of tiles that are not there: what another layer left there may be slow to compute with.
    __builtin_memset(data, 0, kPoints * kPoints * point_pitch * sizeof(Element));
    convert_rows(-kHalf, kInputs - kOutputs);
    Place place{0, 0};
    for (int first = 0; first < tiles; first += kRealTiles) {
      const int count = tiles - first < kRealTiles ? tiles - first : kRealTiles;
      const Place start = place;
      for (int t = 0; t < count; t++, advance(place)) {
        if (place.column == 0)
          convert_rows(place.row * kOutputs + kInputs - kOutputs - kHalf, kOutputs);
        read_tile(place, data + t * in);
      }
      const Element* weights = static_cast<const Element*>(layer.weights);
      for (int channel = 0; channel < layer.out_channels; channel += kBlock) {
        for (int p = 0; p < kPoints * kPoints; p++, weights += in * kBlock)
          multiply(data + p * point_pitch, weights, sums + p * kRealTiles * kBlock);
        write_block<Writer>(start, count, channel);
      }
    }
  }
};

template <class Numbers, class Algorithm>
void real_transformed(const Convolution& layer) {
  const RealTransformed<Numbers, Algorithm> kernel(layer);
  if (Numbers::Writer::takes(layer))
    kernel.template run<typename Numbers::Writer>();
  else
    kernel.template run<ThroughFloats>();
}

}  // namespace GDQ_ISA
}  // namespace gdq

// The inner product of every kernel: sums over input channels, kept in registers.
//
// Data is (tiles, depth), weights are packed (depth / kTogether, out_channels, kTogether), where
// kTogether elements make 32 bits: 4 int8, 2 int16 or 1 float. So a vector of weights always holds
// one group of 32 bits for each of kLanes output channels.
#pragma once

#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// int8 x int8 -> int32.
struct Dot4 {
  using Element = int8_t;
  using Sum = int32_t;
  using SumVector = Isa::I32;
  using Data = Isa::Data8;
  static constexpr int kTogether = 4, kSteps = Isa::kSteps8;
  static GDQ_INLINE Data read(const Element* data) { return Isa::data8(data); }
  template <int Step>
  static GDQ_INLINE SumVector add(SumVector sum, const void* weights, Data data) {
    return Isa::dot4<Step>(sum, weights, data);
  }
};

// int16 x int16 -> int32.
struct Dot2 {
  using Element = int16_t;
  using Sum = int32_t;
  using SumVector = Isa::I32;
  using Data = Isa::Data16;
  static constexpr int kTogether = 2, kSteps = Isa::kSteps16;
  static GDQ_INLINE Data read(const Element* data) { return Isa::data16(data); }
  template <int Step>
  static GDQ_INLINE SumVector add(SumVector sum, const void* weights, Data data) {
    return Isa::dot2<Step>(sum, weights, data);
  }
};

// float x float -> float.
struct Dot1 {
  using Element = float;
  using Sum = float;
  using SumVector = Isa::F32;
  using Data = Isa::DataReal;
  static constexpr int kTogether = 1, kSteps = Isa::kStepsReal;
  static GDQ_INLINE Data read(const Element* data) { return load<Data>(data); }
  template <int Step>
  static GDQ_INLINE SumVector add(SumVector sum, const void* weights, Data data) {
    return Isa::dot1<Step>(sum, load<SumVector>(weights), data);
  }
};

// The same where depth need not be a multiple of anything.
struct DotSingle : Dot1 {
  using Data = float;
  static constexpr int kSteps = 1;
  static GDQ_INLINE Data read(const Element* data) { return *data; }
  template <int Step>
  static GDQ_INLINE SumVector add(SumVector sum, const void* weights, Data data) {
    return sum + load<SumVector>(weights) * data;
  }
};

template <class Element>
struct DotOf;
template <>
struct DotOf<int8_t> {
  using Type = Dot4;
};
template <>
struct DotOf<int16_t> {
  using Type = Dot2;
};
template <>
struct DotOf<float> {
  using Type = Dot1;
};

// Adds to Tiles x Groups vectors of sums the products over `depth` input channels.
// data_pitch: elements between tiles; weight_pitch: bytes between steps of depth.
template <class Dot, int Tiles, int Groups>
GDQ_INLINE void accumulate(const typename Dot::Element* data, ptrdiff_t data_pitch,
                           const char* weights, ptrdiff_t weight_pitch, int depth,
                           typename Dot::SumVector (&sums)[Tiles][Groups]) {
  constexpr int kVector = sizeof(typename Dot::SumVector);
  constexpr int kDepth = Dot::kTogether * Dot::kSteps;
  for (int k = 0; k < depth; k += kDepth) {
    typename Dot::Data x[Tiles];
    unroll<Tiles>([&](auto t) GDQ_ALWAYS { x[t] = Dot::read(data + t * data_pitch + k); });
    unroll<Dot::kSteps>([&](auto step) GDQ_ALWAYS {
      unroll<Groups>([&](auto g) GDQ_ALWAYS {
        const char* w = weights + g * kVector;
        unroll<Tiles>([&](auto t) GDQ_ALWAYS {
          sums[t][g] = Dot::template add<decltype(step)::value>(sums[t][g], w, x[t]);
        });
      });
      weights += weight_pitch;
    });
  }
}

// `multiply` takes any multiple of this many tiles.
constexpr int kTileStep = 8;

// Sums of `tiles` tiles (a multiple of kTileStep) at one point, all output channels.
// start: (out_channels) where sums begin, or null; sums: (tiles, out_channels).
template <class Dot, int Tiles, int Groups>
GDQ_INLINE void multiply_groups(const typename Dot::Element* data, int depth, const char* weights,
                                ptrdiff_t weight_pitch, const int32_t* start, int tiles,
                                typename Dot::Sum* sums, ptrdiff_t sum_pitch) {
  using V = typename Dot::SumVector;
  for (int t = 0; t < tiles; t += Tiles) {
    V acc[Tiles][Groups];
    unroll<Groups>([&](auto g) GDQ_ALWAYS {
      const V first = start ? load<V>(start + g * Isa::kLanes) : V{};
      unroll<Tiles>([&](auto i) GDQ_ALWAYS { acc[i][g] = first; });
    });
    accumulate<Dot, Tiles, Groups>(data + (ptrdiff_t)t * depth, depth, weights, weight_pitch, depth,
                                   acc);
    unroll<Tiles>([&](auto i) GDQ_ALWAYS {
      unroll<Groups>([&](auto g) GDQ_ALWAYS {
        store(sums + (t + i) * sum_pitch + g * Isa::kLanes, acc[i][g]);
      });
    });
  }
}

template <class Dot>
GDQ_INLINE void multiply(const typename Dot::Element* data, int depth, const char* weights,
                         const int32_t* start, int tiles, int out_channels,
                         typename Dot::Sum* sums) {
  const ptrdiff_t weight_pitch = (ptrdiff_t)out_channels * 4;
  int oc = 0;
  auto groups = [&](auto count) GDQ_ALWAYS {
    constexpr int kGroups = decltype(count)::value;
    constexpr int kChannels = kGroups * Isa::kLanes;
    constexpr int kAtOnce = Isa::kTiles / kGroups,
                  kTiles = kAtOnce < kTileStep ? kAtOnce : kTileStep;
    for (; oc + kChannels <= out_channels; oc += kChannels)
      multiply_groups<Dot, kTiles, kGroups>(data, depth, weights + oc * 4, weight_pitch,
                                            start ? start + oc : nullptr, tiles, sums + oc,
                                            out_channels);
  };
  if constexpr (Isa::kGroups >= 4) groups(Index<4>{});
  if constexpr (Isa::kGroups >= 2) groups(Index<2>{});
  groups(Index<1>{});
}

}  // namespace GDQ_ISA
}  // namespace gdq

// Sums of body layers while products are added to them, in registers: those of some tiles or
// pixels, one group of channels. Two forms: a vector for each tile and four channels, or, where an
// instruction multiplies matrices, one for two tiles and two channels.
#pragma once

#include "kernels/body.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

constexpr int kBodyGroup = 2 * Isa::kLanes;

// Keeps the compiler from moving loads across: it would hoist more than there are registers.
#define GDQ_PIN asm volatile("" ::: "memory")

// A number of channels that the compiler knows, or 0 and the number itself.
template <int N>
struct KnownChannels {
  static constexpr int value = N;
  constexpr operator int() const { return N; }
};
struct AnyChannels {
  static constexpr int value = 0;
  int number;
  operator int() const { return number; }
};

template <class Body>
GDQ_INLINE void with_channels(int channels, Body&& body) {
  if constexpr (Isa::kKnowsChannels) {
    if (channels == 32) return body(KnownChannels<32>{});
    if (channels == 64) return body(KnownChannels<64>{});
  }
  body(AnyChannels{channels});
}

// Calls `step` with every Depth-th channel.
template <int Depth, class Channels, class Step>
GDQ_INLINE void each_step(Channels channels, Step&& step) {
  if constexpr (Channels::value > 0)
    unroll<Channels::value / Depth>([&](auto i) GDQ_ALWAYS { step(i * Depth); });
  else
    for (int k = 0; k < channels; k += Depth) step(k);
}

// How the data of tiles lies before products: tile by tile.
struct RowLayout {
  // Where some channels of a tile begin.
  static GDQ_INLINE ptrdiff_t at(int tile, int channel, int channels) {
    return (ptrdiff_t)tile * channels + channel;
  }
  template <class V, class Element>
  static GDQ_INLINE void write(Element* to, V channels) {
    store(to, channels);
  }
};

// Two vectors for each of Rows tiles or pixels.
template <int Rows>
struct RowSums {
  using Layout = RowLayout;
  // Input channels whose weights lie together for each output channel; those of one step.
  static constexpr int kTogether = 4, kDepth = 4 * Isa::kSteps8;
  // Numbers that sums begin at: of each row, or one for all.
  static constexpr int kStarts = (Isa::kStartsPerRow ? Rows : 1) * kBodyGroup;
  Isa::I32 at[Rows][2];

  // from: of one group; to: as `start` reads them.
  static void spread_start(const int32_t* from, int32_t* to) {
    for (int i = 0; i < kStarts; i += kBodyGroup)
      __builtin_memcpy(to + i, from, kBodyGroup * sizeof(int32_t));
  }
  GDQ_INLINE void start(const int32_t* from) {
    constexpr int kNext = Isa::kStartsPerRow ? kBodyGroup : 0;
    unroll<Rows>([&](auto t) GDQ_ALWAYS {
      unroll<2>([&](auto v)
                    GDQ_ALWAYS { at[t][v] = load<Isa::I32>(from + t * kNext + v * Isa::kLanes); });
    });
  }

  // Adds the products of all channels of a point. weights: (channels / 4, two vectors).
  template <class Channels>
  GDQ_INLINE void add_products(const int8_t* data, Channels channels, const int8_t* weights) {
    each_step<kDepth>(channels, [&](int k) GDQ_ALWAYS {
      Isa::Data8 x[Rows];
      // Data that serves several steps is loaded before them, other data where it is needed.
      const auto read = [&](auto t)
                            GDQ_ALWAYS { x[t] = Isa::data8(data + (ptrdiff_t)t * channels + k); };
      if constexpr (Isa::kSteps8 > 1) unroll<Rows>(read);
      unroll<Isa::kSteps8>([&](auto s) GDQ_ALWAYS {
        const int8_t* w = weights + (k / 4 + s) * 2 * Isa::kBytes;
        unroll<Rows>([&](auto t) GDQ_ALWAYS {
          if constexpr (Isa::kSteps8 == 1) read(t);
          at[t][0] = Isa::template dot4<s>(at[t][0], w, x[t]);
          at[t][1] = Isa::template dot4<s>(at[t][1], w + Isa::kBytes, x[t]);
        });
      });
      GDQ_PIN;
    });
  }

  // Adds three taps of neighbouring pixels, some channels: a vector of a pixel's serves all three.
  template <class Channels>
  GDQ_INLINE void add_taps(const int8_t* from, Channels channels, const int8_t* weights) {
    constexpr int kTap = Isa::kSteps8 * 2 * Isa::kBytes;
    Isa::Data8 x[Rows + 2];
    unroll<Rows + 2>([&](auto t) GDQ_ALWAYS { x[t] = Isa::data8(from + (ptrdiff_t)t * channels); });
    unroll<3>([&](auto tap) GDQ_ALWAYS {
      unroll<Isa::kSteps8>([&](auto s) GDQ_ALWAYS {
        const int8_t* w = weights + tap * kTap + s * 2 * Isa::kBytes;
        unroll<2>([&](auto v) GDQ_ALWAYS {
          unroll<Rows>([&](auto t) GDQ_ALWAYS {
            at[t][v] = Isa::template dot4<s>(at[t][v], w + v * Isa::kBytes, x[t + tap]);
          });
        });
      });
      GDQ_PIN;
    });
  }

  // to: (Rows, group).
  template <int Shift>
  GDQ_INLINE void store_narrowed(int16_t* to) const {
    unroll<Rows>([&](auto t) GDQ_ALWAYS {
      store(to + t * kBodyGroup, Isa::template narrowed<Shift>(at[t][0], at[t][1]));
    });
  }

  // As whole numbers of what `finish` writes.
  template <class Finish>
  GDQ_INLINE void scale(const Finish& finish, Isa::I16 (&whole)[Rows]) const {
    unroll<Rows>([&](auto t) GDQ_ALWAYS {
      whole[t] = finish.scaled(Isa::real(at[t][0]), Isa::real(at[t][1]));
    });
  }
};

// How the data of tiles lies before products of matrices: two tiles, eight channels of each in
// turn.
struct PairLayout {
  static GDQ_INLINE ptrdiff_t at(int tile, int channel, int channels) {
    return (ptrdiff_t)(tile / 2) * 2 * channels + 2 * channel + tile % 2 * 8;
  }
  template <class V>
  static GDQ_INLINE void write(int8_t* to, V channels) {
    typedef int64_t Halves __attribute__((vector_size(16)));
    const Halves halves = (Halves)channels;
    store(to, halves[0]);
    store(to + 16, halves[1]);
  }
};

// Two rows and two channels in each vector: (row, channel), (row, channel + 1), (row + 1, channel),
// (row + 1, channel + 1). Of an odd number of rows the last one is there twice.
template <class Isa, int Rows>
struct PairSums {
  using Layout = PairLayout;
  using I32 = typename Isa::I32;
  using F32 = typename Isa::F32;
  using I16 = typename Isa::I16;
  static constexpr int kTogether = 8, kDepth = 8;
  static constexpr int kPairs = (Rows + 1) / 2;
  static constexpr int kStarts = kPairs * 2 * kBodyGroup;
  I32 at[kPairs][4];

  static void spread_start(const int32_t* from, int32_t* to) {
    for (int i = 0; i < kStarts; i++) to[i] = from[i / 4 % 4 * 2 + i % 2];
  }
  GDQ_INLINE void start(const int32_t* from) {
    unroll<kPairs>([&](auto p) GDQ_ALWAYS {
      unroll<4>([&](auto c) GDQ_ALWAYS { at[p][c] = load<I32>(from + p * 16 + c * 4); });
    });
  }

  // weights: (channels / 8, group, 8).
  template <class Channels>
  GDQ_INLINE void add_products(const int8_t* data, Channels channels, const int8_t* weights) {
    each_step<kDepth>(channels, [&](int k) GDQ_ALWAYS {
      typename Isa::Data8 x[kPairs];
      unroll<kPairs>([&](auto p) GDQ_ALWAYS {
        x[p] = Isa::data8(data + (ptrdiff_t)p * 2 * channels + 2 * k);
      });
      add_matrices<1>(x, weights + k * kBodyGroup);
    });
  }

  template <class Channels>
  GDQ_INLINE void add_taps(const int8_t* from, Channels channels, const int8_t* weights) {
    typename Isa::Half8 x[Rows + 2];
    unroll<Rows + 2>([&](auto t) GDQ_ALWAYS { x[t] = Isa::half8(from + (ptrdiff_t)t * channels); });
    typename Isa::Data8 pairs[2 * kPairs + 1];
    unroll<2 * kPairs + 1>([&](auto t) GDQ_ALWAYS {
      constexpr int kSecond = t + 1 < Rows + 2 ? t + 1 : t;
      pairs[t] = Isa::pair8(x[t], x[kSecond]);
    });
    unroll<3>([&](auto tap) GDQ_ALWAYS {
      add_matrices<2>(pairs + tap, weights + tap * kDepth * kBodyGroup);
    });
  }

  template <int Shift>
  GDQ_INLINE void store_narrowed(int16_t* to) const {
    static_assert(Rows % 2 == 0, "two rows are stored together");
    unroll<kPairs>([&](auto p) GDQ_ALWAYS {
      I16 rows[2];
      Isa::split(Isa::template narrowed<Shift>(at[p][0], at[p][1]),
                 Isa::template narrowed<Shift>(at[p][2], at[p][3]), rows);
      store(to + 2 * p * kBodyGroup, rows[0]);
      store(to + (2 * p + 1) * kBodyGroup, rows[1]);
    });
  }

  template <class Finish>
  GDQ_INLINE void scale(const Finish& finish, I16 (&whole)[Rows]) const {
    F32 scales[4], addends[4];
    unroll<2>([&](auto v) GDQ_ALWAYS {
      Isa::twice(finish.scales[v], scales + 2 * v);
      Isa::twice(finish.addends[v], addends + 2 * v);
    });
    unroll<kPairs>([&](auto p) GDQ_ALWAYS {
      F32 x[4];
      unroll<4>([&](auto c) GDQ_ALWAYS { x[c] = Isa::real(at[p][c]) * scales[c] + addends[c]; });
      I16 rows[2];
      Isa::split(Isa::whole(x[0], x[1]), Isa::whole(x[2], x[3]), rows);
      whole[2 * p] = rows[0];
      if constexpr (2 * p + 1 < Rows) whole[2 * p + 1] = rows[1];
    });
  }

 private:
  // Eight channels of each pair of rows, every Next-th of `x`, times (group, 8) weights.
  template <int Next>
  GDQ_INLINE void add_matrices(const typename Isa::Data8* x, const int8_t* weights) {
    unroll<4>([&](auto c) GDQ_ALWAYS {
      const auto w = Isa::data8(weights + c * 16);
      unroll<kPairs>([&](auto p) GDQ_ALWAYS { at[p][c] = Isa::dot8(at[p][c], x[Next * p], w); });
    });
    GDQ_PIN;
  }
};

template <int Rows, bool InPairs>
struct SumsOf {
  using Type = RowSums<Rows>;
};
template <int Rows>
struct SumsOf<Rows, true> {
  using Type = PairSums<Isa, Rows>;
};
template <int Rows>
using BodySums = typename SumsOf<Rows, Isa::kInPairs>::Type;

}  // namespace GDQ_ISA
}  // namespace gdq

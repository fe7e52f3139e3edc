// What the predictor needs of a tile: products of its patches with each other, exact in integers,
// and the kernel density of its luma.
#pragma once

#include "kernels/convolution.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// Two patches side by side, the elements of each pair next to each other. `mask` is 0xFFFF where
// there is no second patch. Writes up to 15 pairs behind the patch.
GDQ_INLINE void write_pair(const PatchProducts& job, const int16_t* first, const int16_t* second,
                           int32_t mask, int16_t* to) {
  constexpr int kAtOnce = 16;
  using Words = Vector<int32_t, kAtOnce>;
  const auto wide = [](const int16_t* from) GDQ_ALWAYS {
    return (Words) __builtin_convertvector(load<Vector<uint16_t, kAtOnce>>(from),
                                           Vector<uint32_t, kAtOnce>);
  };
  const int count = job.kernel * job.channels;
  store(to, 0x10001 & mask);
  to += 2;
  for (int row = 0; row < job.kernel; row++) {
    for (int i = 0; i < count; i += kAtOnce)
      store(to + 2 * i, (wide(first + i) | wide(second + i) << 16) & mask);
    to += 2 * count;
    first += job.pitch;
    second += job.pitch;
  }
}

// Pairs of patches in the order that dot products take weights in: see kInt16Block.
GDQ_INLINE const int16_t* as_weights(const int16_t* pairs, ptrdiff_t count, int16_t* to) {
  constexpr int kBlock = Isa::kInt16Block;
  if constexpr (kBlock == 1) return pairs;
  for (ptrdiff_t i = 0; i < count; i += kBlock)
    for (int j = 0; j < kBlock; j++) {
      to[2 * i + j] = pairs[2 * (i + j)];
      to[2 * i + kBlock + j] = pairs[2 * (i + j) + 1];
    }
  return to;
}

// kTiles x kLanes sums over some pairs.
inline void add_products(const int16_t* pairs, const int16_t* weights, int count, int components,
                         int row, int column, int64_t* sums) {
  constexpr int kRows = Isa::kTiles, kSteps = Isa::kSteps16;
  static_assert(kRows % kSteps == 0 && 16 % kRows == 0, "rows of sums come in sixteens");
  Isa::I32 acc[kRows]{};
  for (int pair = 0; pair < count; pair++) {
    unroll<kRows / kSteps>([&](auto group) GDQ_ALWAYS {
      const auto data = Isa::data16(pairs + 2 * (row + group * kSteps));
      unroll<kSteps>([&](auto step) GDQ_ALWAYS {
        Isa::I32& sum = acc[group * kSteps + step];
        sum = Isa::template dot2<decltype(step)::value>(sum, weights + 2 * column, data);
      });
    });
    pairs += 2 * components;
    weights += 2 * components;
  }
  using Wide = Vector<int64_t, Isa::kLanes>;
  for (int i = 0; i < kRows; i++) {
    int64_t* to = sums + (ptrdiff_t)(row + i) * components + column;
    store(to, load<Wide>(to) + __builtin_convertvector(acc[i], Wide));
  }
}

inline void patch_products(const PatchProducts& job) {
  int count = 0;
  const ptrdiff_t size = patch_scratch(job.components) / sizeof(int16_t) / 2;
  __builtin_memset(job.scratch, 0, size * sizeof(int16_t));
  const auto flush = [&] {
    const int16_t* weights =
        as_weights(job.scratch, (ptrdiff_t)count * job.components, job.scratch + size);
    for (int column = 0; column < job.components; column += Isa::kLanes)
      for (int row = 0; row < job.products && row < column + Isa::kLanes; row += Isa::kTiles)
        add_products(job.scratch, weights, count, job.components, row, column, job.sums);
    count = 0;
  };
  const ptrdiff_t next = (ptrdiff_t)job.step * job.channels;
  for (int y = 0; y < job.rows; y++) {
    const int16_t* patch = job.image + y * job.step * job.pitch;
    for (int x = 0; x < job.columns; x += 2, patch += 2 * next) {
      const bool last = x + 1 == job.columns;
      write_pair(job, patch, last ? patch : patch + next, last ? 0xFFFF : -1,
                 job.scratch + (ptrdiff_t)count * 2 * job.components);
      if (++count == kPairsTogether) flush();
    }
  }
  flush();
}

// 31 * 10000 times the luma, which so is a whole number, as are the bins.
constexpr int kLumaOne = (kBins - 1) * 255 * 10000, kBinDistance = 255 * 10000;

inline void write_lumas(const uint8_t* row, int count, int32_t* to) {
  for (int x = 0; x < count; x++)
    to[x] = (kBins - 1) * (2989 * row[3 * x] + 5870 * row[3 * x + 1] + 1140 * row[3 * x + 2]);
}

// 2^x for x of -126..0, relative error 1e-7.
GDQ_INLINE Isa::F32 power_of_two(Isa::F32 x) {
  const auto whole = round_to_even<Isa::kLanes>(x);
  const Isa::F32 f = x - __builtin_convertvector(whole, Isa::F32);
  Isa::F32 p = all<Isa::F32>(0.0013276466f);
  p = p * f + 0.0096755409f;
  p = p * f + 0.0555071346f;
  p = p * f + 0.2402212023f;
  p = p * f + 0.693146944f;
  p = p * f + 1.0000001192f;
  return (Isa::F32)((Isa::I32)p + (whole << 23));
}

// count: a multiple of kLanes.
inline void add_densities(const int32_t* lumas, int count, double* sums) {
  constexpr double kSigma = 0.0255 * kLumaOne, kLog2E = 1.4426950408889634;
  constexpr double kSquare = 0.5 * kLog2E / (kSigma * kSigma);
  constexpr int kAtOnce = 4;
  for (int bin = 0; bin < kBins; bin += kAtOnce) {
    Isa::F32 acc[kAtOnce]{};
    for (int i = 0; i < count; i += Isa::kLanes) {
      const auto luma = load<Isa::I32>(lumas + i);
      unroll<kAtOnce>([&](auto b) GDQ_ALWAYS {
        const Isa::F32 d = __builtin_convertvector(luma - (bin + b) * kBinDistance, Isa::F32);
        // The reference adds at least 1e-38 as well.
        const Isa::F32 x = larger(d * d * (float)-kSquare, all<Isa::F32>(-126.0f));
        acc[b] += power_of_two(x);
      });
    }
    for (int b = 0; b < kAtOnce; b++)
      for (int lane = 0; lane < Isa::kLanes; lane++) sums[bin + b] += acc[b][lane];
  }
}

inline void luma_density(const LumaDensity& job) {
  for (int bin = 0; bin < kBins; bin++) job.sums[bin] = 0;
  int count = 0;
  const auto flush = [&] {
    // So far away that nothing is added.
    while (count % Isa::kLanes != 0) job.scratch[count++] = -kLumaOne;
    add_densities(job.scratch, count, job.sums);
    count = 0;
  };
  for (int y = 0; y < job.side; y++) {
    write_lumas(job.pixels + y * job.pitch, job.side, job.scratch + count);
    count += job.side;
    if (count >= kLumasTogether) flush();
  }
  flush();
}

}  // namespace GDQ_ISA
}  // namespace gdq

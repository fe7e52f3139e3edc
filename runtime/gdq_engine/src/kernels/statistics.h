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

// Cells of luma, those around each bin among them: how many pixels lie in each, and how far from
// its middle.
constexpr int kCellsPerBin = kLumaCells / (kBins - 1), kCell = kBinDistance / kCellsPerBin;
static_assert(kCell * kCellsPerBin == kBinDistance, "bins are in the middle of a cell");

struct LumaCells {
  // Sums over pixels: 1, their distance from the middle, and its square.
  int64_t *counts, *distances, *squares;

  explicit LumaCells(int64_t* memory)
      : counts(memory), distances(memory + kCellsAndMargin), squares(memory + 2 * kCellsAndMargin) {
    __builtin_memset(memory, 0, 3 * kCellsAndMargin * sizeof(int64_t));
  }

  void add(const int32_t* lumas, int count) const {
    for (int i = 0; i < count; i++) {
      const uint32_t cell = (uint32_t)(lumas[i] + kCell / 2) / kCell;
      const int64_t distance = lumas[i] - (int32_t)cell * kCell;
      counts[kCellReach + cell]++;
      distances[kCellReach + cell] += distance;
      squares[kCellReach + cell] += distance * distance;
    }
  }
};

// The kernel around a bin, expanded around the middle of each cell in reach:
// g(x + d) = g(x) (1 - x d + (x^2 - 1) d^2 / 2), the rest below 3e-7 for half a cell.
struct LumaKernel {
  static constexpr int kCount = 2 * kCellReach;
  static constexpr float kSigma = 0.0255f * kLumaOne;
  float counts[kCount], distances[kCount], squares[kCount];

  LumaKernel() {
    constexpr float kLog2E = 1.44269504f, kStep = kCell / kSigma;
    for (int i = 0; i < kCount; i += Isa::kLanes) {
      Isa::F32 x{};
      for (int lane = 0; lane < Isa::kLanes; lane++)
        x[lane] = (float)(i + lane - kCellReach) * kStep;
      const Isa::F32 g = power_of_two(x * x * (-kLog2E / 2));
      store(counts + i, g);
      store(distances + i, g * x * (-1 / kSigma));
      store(squares + i, g * (x * x - 1.0f) * (0.5f / (kSigma * kSigma)));
    }
  }
};

inline void luma_density(const LumaDensity& job) {
  int64_t* memory = reinterpret_cast<int64_t*>(job.scratch);
  const LumaCells cells(memory);
  float* floats = reinterpret_cast<float*>(memory + 3 * kCellsAndMargin);
  int32_t* lumas = reinterpret_cast<int32_t*>(floats + 3 * kCellsAndMargin);
  for (int y = 0; y < job.side; y++) {
    write_lumas(job.pixels + y * job.pitch, job.side, lumas);
    cells.add(lumas, job.side);
  }
  for (int i = 0; i < 3 * kCellsAndMargin; i++) floats[i] = (float)memory[i];
  const LumaKernel kernel;
  for (int bin = 0; bin < kBins; bin++) {
    const float* from = floats + bin * kCellsPerBin;
    Isa::F32 acc[3]{};
    for (int i = 0; i < LumaKernel::kCount; i += Isa::kLanes, from += Isa::kLanes) {
      acc[0] += load<Isa::F32>(from) * load<Isa::F32>(kernel.counts + i);
      acc[1] += load<Isa::F32>(from + kCellsAndMargin) * load<Isa::F32>(kernel.distances + i);
      acc[2] += load<Isa::F32>(from + 2 * kCellsAndMargin) * load<Isa::F32>(kernel.squares + i);
    }
    // The reference adds at least 1e-38 for each pixel.
    double sum = 1e-38 * job.side * job.side;
    for (const Isa::F32& part : acc)
      for (int lane = 0; lane < Isa::kLanes; lane++) sum += part[lane];
    job.sums[bin] = sum;
  }
}

}  // namespace GDQ_ISA
}  // namespace gdq

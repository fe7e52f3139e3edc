// Sums over a tile's luma, from which the sensitivity heads read what few bits cost it: whole
// numbers, the same on every instruction set. The compiler makes vectors of the loops.
#pragma once

#include "kernels/convolution.h"

namespace gdq {
namespace GDQ_ISA {

GDQ_INLINE int magnitude(int x) { return x < 0 ? -x : x; }
GDQ_INLINE int16_t larger_of(int16_t a, int16_t b) { return a > b ? a : b; }

// Red, green, blue -> luma; returns the sum.
inline int64_t write_luma_row(const uint8_t* __restrict pixels, int width, int16_t* __restrict to) {
  int32_t sum = 0;
  for (int x = 0; x < width; x++) {
    const int y =
        (77 * pixels[3 * x] + 150 * pixels[3 * x + 1] + 29 * pixels[3 * x + 2] + 128) >> 8;
    to[x] = static_cast<int16_t>(y);
    sum += y;
  }
  return sum;
}

// Windows of 2x2 that begin in a row: diagonal differences and steps, larger ones kept.
inline void keep_largest(const int16_t* __restrict row, const int16_t* __restrict below,
                         int windows, int16_t* __restrict diagonals, int16_t* __restrict steps) {
  for (int x = 0; x < windows; x++) {
    const auto across = static_cast<int16_t>(row[x + 1] - row[x]);
    const auto down = static_cast<int16_t>(below[x] - row[x]);
    const auto diagonal = static_cast<int16_t>(below[x + 1] - below[x] - across);
    const auto size = [](int16_t v) GDQ_ALWAYS { return larger_of(v, static_cast<int16_t>(-v)); };
    diagonals[x] = larger_of(diagonals[x], size(diagonal));
    steps[x] = larger_of(steps[x], larger_of(size(across), size(down)));
  }
}

// (2 rows, 2 columns) -> (rows, columns)
inline void sum_by_two(const int16_t* __restrict from, int rows, int columns,
                       int16_t* __restrict to) {
  for (int y = 0; y < rows; y++, from += 4 * columns, to += columns)
    for (int x = 0; x < columns; x++)
      to[x] = static_cast<int16_t>(from[2 * x] + from[2 * x + 1] + from[2 * columns + 2 * x] +
                                   from[2 * columns + 2 * x + 1]);
}

inline void add_block_maxima(const TileSums& job, const int16_t* diagonals, const int16_t* steps) {
  for (int block = 0; block < job.width / 4; block++) {
    int16_t diagonal = 0, step = 0;
    for (int x = 4 * block; x < 4 * block + 4; x++) {
      diagonal = larger_of(diagonal, diagonals[x]);
      step = larger_of(step, steps[x]);
    }
    job.sums[0] += (diagonal * diagonal) >> 4;
    job.sums[1] += job.logarithms[diagonal];
    job.sums[2] += diagonal >= kStrongEdge;
    job.sums[3] += step >= kStrongEdge;
  }
}

inline void add_coarse(const TileSums& job, const int16_t* map, int rows, int columns) {
  for (int y = 0; y + 1 < rows; y++) {
    const int16_t *row = map + y * columns, *below = row + columns;
    for (int x = 0; x + 1 < columns; x++)
      job.sums[4] += job.logarithms[magnitude(row[x] + below[x + 1] - row[x + 1] - below[x])];
  }
  for (int y = 1; y + 1 < rows; y++) {
    const int16_t* row = map + y * columns;
    for (int x = 1; x + 1 < columns; x++)
      job.sums[5] += job.logarithms[magnitude(4 * row[x] - row[x - columns] - row[x + columns] -
                                              row[x - 1] - row[x + 1])];
  }
}

inline void add_median(const TileSums& job, const int16_t* map, int rows, int columns) {
  for (int y = 0; y + 1 < rows; y++) {
    const int16_t* __restrict row = map + y * columns, * __restrict below = row + columns;
    int32_t sum = 0, squares = 0;
    for (int x = 0; x + 1 < columns; x++) {
      const int diagonal = magnitude(row[x] + below[x + 1] - row[x + 1] - below[x]);
      sum += diagonal;
      squares += ((diagonal >> 2) * (diagonal >> 2)) >> 6;
    }
    job.sums[6] += sum;
    job.sums[7] += squares;
  }
}

inline void tile_sums(const TileSums& job) {
  const int height = job.height, width = job.width;
  int16_t* luma = job.scratch;
  int16_t* diagonals = luma + ptrdiff_t{height} * width;
  int16_t *steps = diagonals + width, *by_two = steps + width;
  int16_t* by_four = by_two + ptrdiff_t{height / 2} * (width / 2);
  for (int i = 0; i < kTileStatistics; i++) job.sums[i] = 0;
  for (int y = 0; y < height; y++)
    job.sums[8] += write_luma_row(job.pixels + y * job.pitch, width, luma + ptrdiff_t{y} * width);
  for (int y = 0; y < height; y += 4) {
    for (int x = 0; x < 2 * width; x++) diagonals[x] = 0;  // and steps
    for (int row = y; row < y + 4 && row + 1 < height; row++)
      keep_largest(luma + ptrdiff_t{row} * width, luma + ptrdiff_t{row + 1} * width, width - 1,
                   diagonals, steps);
    add_block_maxima(job, diagonals, steps);
  }
  sum_by_two(luma, height / 2, width / 2, by_two);
  sum_by_two(by_two, height / 4, width / 4, by_four);
  add_coarse(job, by_four, height / 4, width / 4);
  add_median(job, by_two, height / 2, width / 2);
}

}  // namespace GDQ_ISA
}  // namespace gdq

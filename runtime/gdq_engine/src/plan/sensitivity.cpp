#include "plan/sensitivity.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "error.h"

namespace gdq {
namespace {

constexpr int kBlock = 4, kSmallestSide = 4, kLargestSide = 4096;
constexpr int kLargestDifference = 4 * kBlock * kBlock * 255;  // of sums over 4x4 pixels
constexpr int kShift = 14;                                     // binary places of the heads

// 2^(1/4), 2^(2/4), 2^(3/4): irrational, and no whole number below 2^33 comes so close to a power
// of two times one of them that double precision could not tell.
constexpr double kQuarters[] = {1.189207115002721, 1.4142135623730951, 1.6817928305074290};

// floor(4 log2(1 + v)): the largest k with 2^k <= (1 + v)^4.
int logarithm(uint64_t v) {
  const uint64_t number = v + 1;
  int octave = 0;
  while (number >> (octave + 1) != 0) octave++;
  int quarters = 0;
  for (const double quarter : kQuarters)
    quarters += double(number) > quarter * double(uint64_t{1} << octave);
  return 4 * octave + quarters;
}

const uint8_t* logarithms() {
  static const std::vector<uint8_t> table = [] {
    std::vector<uint8_t> all;
    for (int v = 0; v <= kLargestDifference; v++) all.push_back(uint8_t(logarithm(v)));
    return all;
  }();
  return table.data();
}

// A sum over (height, width) terms as if there were as many as in the fitted square.
int64_t as_fitted(int64_t sum, int64_t height, int64_t width, int64_t fitted) {
  const int64_t terms = height * width;
  return terms == 0 || terms == fitted * fitted ? sum : sum * (fitted * fitted) / terms;
}

}  // namespace

Statistics tile_statistics(const uint8_t* tile, int height, int width, int side,
                           const KernelTable& kernels) {
  if (height < kSmallestSide || width < kSmallestSide || height > kLargestSide ||
      width > kLargestSide)
    throw Error("a tile of " + std::to_string(width) + "x" + std::to_string(height) +
                " pixels has no statistics: sides must be 4 to 4096 pixels long");
  int64_t sums[kTileStatistics];
  TileSums job{};
  job.pixels = tile;
  job.pitch = ptrdiff_t{3} * width;
  job.height = height / kBlock * kBlock;
  job.width = width / kBlock * kBlock;
  job.logarithms = logarithms();
  const std::unique_ptr<int16_t[]> scratch(new int16_t[tile_scratch(job.height, job.width)]);
  job.scratch = scratch.get();
  job.sums = sums;
  kernels.tile_sums(job);
  const auto term = [&](int index, int step, int less) {
    const auto length = [&](int pixels) { return std::max(0, pixels / step - less); };
    return as_fitted(sums[index], length(job.height), length(job.width), length(side));
  };
  const auto scaled = [](int64_t sum) { return int32_t(sum); };
  const auto log = [](int64_t sum) { return int32_t(logarithm(uint64_t(sum))); };
  return {log(term(0, 4, 0)), scaled(term(1, 4, 0)), log(term(2, 4, 0)),
          log(term(3, 4, 0)), scaled(term(4, 4, 1)), scaled(term(5, 4, 2)),
          log(term(6, 2, 1)), log(term(7, 2, 1)),    log(term(8, 1, 0))};
}

Heads apply_heads(const SensitivityRecord& record, const Statistics& statistics) {
  Heads heads{};
  for (int head = 0; head < kSensitivityHeads; head++) {
    int64_t sum = record.biases[head];
    for (int i = 0; i < kTileStatistics; i++)
      sum += int64_t{record.weights[head * kTileStatistics + i]} * statistics[i];
    heads[head] = static_cast<int32_t>(sum >> kShift);
  }
  return heads;
}

}  // namespace gdq

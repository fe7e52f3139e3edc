#include "interpolation.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace gdq::run {

namespace {

constexpr int kTaps = 4, kChannels = 3;

// Weights of the four pixels around a position, times `unit`; the first of them.
struct Taps {
  int64_t weights[kTaps];
  int first;
};

// Keys' kernel with a = -3/4 at a distance of n / d, times 4 d^3.
int64_t keys(int64_t n, int64_t d) {
  if (n < d) return 5 * n * n * n - 9 * n * n * d + 4 * d * d * d;
  return -3 * n * n * n + 15 * n * n * d - 24 * n * d * d + 12 * d * d * d;
}

// Pixel i of the result lies at (i + 1/2) / scale - 1/2.
Taps taps(int i, int scale) {
  const int denominator = 2 * scale, numerator = 2 * i + 1 - scale;
  const int floor = numerator >= 0 ? numerator / denominator : -1;
  const int rest = numerator - floor * denominator;
  return {{keys(denominator + rest, denominator), keys(rest, denominator),
           keys(denominator - rest, denominator), keys(2 * denominator - rest, denominator)},
          floor - 1};
}

}  // namespace

void interpolate(const uint8_t* tile, int height, int width, int scale, uint8_t* picture) {
  const int64_t side = 2 * scale, unit = 4 * side * side * side;
  const size_t row = static_cast<size_t>(width) * scale * kChannels;
  std::vector<int64_t> rows(static_cast<size_t>(height) * row);
  for (int x = 0; x < width * scale; x++) {
    const Taps across = taps(x, scale);
    for (int y = 0; y < height; y++) {
      for (int c = 0; c < kChannels; c++) {
        int64_t sum = 0;
        for (int tap = 0; tap < kTaps; tap++) {
          const int from = std::clamp(across.first + tap, 0, width - 1);
          sum +=
              across.weights[tap] * tile[(static_cast<size_t>(y) * width + from) * kChannels + c];
        }
        rows[static_cast<size_t>(y) * row + static_cast<size_t>(x) * kChannels + c] = sum;
      }
    }
  }
  for (int y = 0; y < height * scale; y++) {
    const Taps down = taps(y, scale);
    for (size_t i = 0; i < row; i++) {
      int64_t sum = unit * unit / 2;
      for (int tap = 0; tap < kTaps; tap++)
        sum += down.weights[tap] * rows[std::clamp(down.first + tap, 0, height - 1) * row + i];
      picture[static_cast<size_t>(y) * row + i] =
          static_cast<uint8_t>(std::clamp<int64_t>(sum <= 0 ? 0 : sum / (unit * unit), 0, 255));
    }
  }
}

}  // namespace gdq::run

#include "plan/real_weights.h"

#include <algorithm>
#include <cmath>

namespace gdq {
namespace {

const Algorithm& algorithm_of(RealForm form) {
  switch (form) {
    case RealForm::kThree:
      return kF6;
    case RealForm::kThreeHalf:
      return kF43;
    default:
      return kF45;
  }
}

// What bounds the numbers of an algorithm: the sums of magnitudes in the rows of B^T, and the
// largest magnitude in each column of A^T.
struct Gains {
  double data[kMostPoints], output[kMostPoints];
};
constexpr Gains kSixPoints{{10, 10, 10, 6, 6, 10}, {1, 1, 1, 8, 8, 1}};
constexpr Gains kEightPoints{{12.5, 12.5, 12.5, 7.5, 7.5, 15, 15, 12.5}, {1, 1, 1, 8, 8, 1, 1, 1}};

// The transformed weights of one pair of channels, (points, points).
std::vector<double> transformed(const Algorithm& algorithm, const float* weights) {
  const std::vector<double> w(weights, weights + algorithm.taps * algorithm.taps);
  std::vector<double> u(size_t(algorithm.points) * algorithm.points);
  transform(algorithm, algorithm, w.data(), u.data());
  return u;
}

// Where the kernel finds a weight: (out / kRealBlock, points, in, kRealBlock).
size_t real_index(int products, int p, int in, int in_channels, int oc) {
  return ((size_t(oc / kRealBlock) * products + p) * in_channels + in) * kRealBlock +
         oc % kRealBlock;
}

template <class Store>
void pack_transformed(const Algorithm& algorithm, int out_channels, int in_channels,
                      const float* weights, Store&& store) {
  const int products = algorithm.points * algorithm.points, taps = algorithm.taps * algorithm.taps;
  for (int oc = 0; oc < out_channels; oc++)
    for (int ic = 0; ic < in_channels; ic++) {
      const auto u = transformed(algorithm, weights + (size_t(oc) * in_channels + ic) * taps);
      for (int p = 0; p < products; p++)
        store(oc, p, real_index(products, p, ic, in_channels, oc), u[p]);
    }
}

// The most that any number of a channel's output transform can be, of a stream of +-1.
std::vector<double> bounds(const Algorithm& algorithm, int out_channels, int in_channels,
                           const float* weights) {
  const Gains& gains = algorithm.points == 6 ? kSixPoints : kEightPoints;
  std::vector<double> most(out_channels, 0);
  pack_transformed(
      algorithm, out_channels, in_channels, weights, [&](int oc, int p, size_t, double weight) {
        const int i = p / algorithm.points, j = p % algorithm.points;
        most[oc] +=
            std::abs(weight) * gains.data[i] * gains.data[j] * gains.output[i] * gains.output[j];
      });
  return most;
}

// Where the head finds the weight of an element of its kernel's rows.
size_t head_index(HeadForm form, int kernel, int half, int row, int element, int oc) {
  const int halves = form == HeadForm::kBytes ? 2 : 1, together = head_together(form);
  const size_t block = (size_t(oc / kHeadChannels) * halves + half) * kernel + row;
  const size_t step = block * head_steps(form, kernel) + element / together;
  return (step * kHeadChannels + oc % kHeadChannels) * together + element % together;
}

void store_head_weight(HeadForm form, int kernel, int row, int element, int oc, double weight,
                       AlignedBytes& packed) {
  const auto index = [&](int half) { return head_index(form, kernel, half, row, element, oc); };
  if (form == HeadForm::kFloats) {
    packed.as<float>()[index(0)] = static_cast<float>(weight);
    return;
  }
  const int integer = static_cast<int>(std::nearbyint(weight));
  if (form == HeadForm::kWords) {
    packed.as<int16_t>()[index(0)] = static_cast<int16_t>(integer);
    return;
  }
  const auto low = static_cast<int8_t>(integer);
  packed.as<int8_t>()[index(0)] = static_cast<int8_t>((integer - low) / 256);
  packed.as<int8_t>()[index(1)] = low;
}

}  // namespace

uint16_t half_bits(double x) {
  constexpr int kMantissa = 10, kBias = 15, kLeast = -14;
  int exponent = 0;
  std::frexp(x, &exponent);
  // The leading bit's; numbers too small for it have no leading bit.
  const int power = x == 0 ? kLeast : std::max(exponent - 1, kLeast);
  const double units = std::nearbyint(std::ldexp(std::abs(x), kMantissa - power));
  const int bits = ((power + kBias) << kMantissa) + static_cast<int>(units) - (1 << kMantissa);
  return static_cast<uint16_t>(bits | (std::signbit(x) ? 0x8000 : 0));
}

PackedWeights pack_real(RealForm form, int out_channels, int in_channels, const float* weights) {
  const Algorithm& algorithm = algorithm_of(form);
  const size_t products = size_t(algorithm.points) * algorithm.points;
  PackedWeights result;
  result.packed = AlignedBytes(products * in_channels * padded(out_channels) * sizeof(float));
  pack_transformed(algorithm, out_channels, in_channels, weights,
                   [&](int, int, size_t index, double weight) {
                     result.packed.as<float>()[index] = static_cast<float>(weight);
                   });
  return result;
}

std::optional<PackedWeights> pack_half(RealForm form, int out_channels, int in_channels,
                                       const float* weights, double factor) {
  constexpr double kLargest = 65504.0 / 2, kFullStream = 32768;
  constexpr int kLargestShift = 14;  // 2^14 is a number of half precision, and so is its inverse
  const Algorithm& algorithm = algorithm_of(form);
  const auto most = bounds(algorithm, out_channels, in_channels, weights);
  std::vector<int> shifts(out_channels, 0);
  PackedWeights result;
  result.scales.assign(padded(out_channels), 1);
  for (int oc = 0; oc < out_channels; oc++) {
    const double bound = most[oc] * kFullStream * factor;
    if (!(bound <= std::ldexp(kLargest, kLargestShift))) return std::nullopt;
    while (bound > std::ldexp(kLargest, shifts[oc])) shifts[oc]++;
    result.scales[oc] = static_cast<float>(std::ldexp(1, shifts[oc]));
  }
  const size_t products = size_t(algorithm.points) * algorithm.points;
  result.packed = AlignedBytes(products * in_channels * padded(out_channels) * sizeof(uint16_t));
  pack_transformed(algorithm, out_channels, in_channels, weights,
                   [&](int oc, int, size_t index, double weight) {
                     result.packed.as<uint16_t>()[index] =
                         half_bits(std::ldexp(weight * factor, kHalfShift - shifts[oc]));
                   });
  return result;
}

AlignedBytes pack_real_direct(int places, int kernel, int out_channels, int in_channels,
                              const float* weights) {
  const int out = padded(out_channels), taps = kernel * kernel;
  AlignedBytes packed(size_t(places) * taps * in_channels * out * sizeof(float));
  for (int place = 0; place < places; place++)
    for (int oc = 0; oc < out_channels; oc++)
      for (int ic = 0; ic < in_channels; ic++)
        for (int tap = 0; tap < taps; tap++)
          packed.as<float>()[(size_t(place * taps + tap) * in_channels + ic) * out + oc] =
              weights[((size_t(place) * out_channels + oc) * in_channels + ic) * taps + tap];
  return packed;
}

AlignedBytes pack_real_narrow(int kernel, int out_channels, int in_channels, const float* weights) {
  constexpr int kMost = kNarrowChannels;
  AlignedBytes packed(size_t(kernel) * kMost * kernel * in_channels * sizeof(float));
  for (int y = 0; y < kernel; y++)
    for (int oc = 0; oc < out_channels; oc++)
      for (int x = 0; x < kernel; x++)
        for (int ic = 0; ic < in_channels; ic++)
          packed.as<float>()[((size_t(y) * kMost + oc) * kernel + x) * in_channels + ic] =
              weights[((size_t(oc) * in_channels + ic) * kernel + y) * kernel + x];
  return packed;
}

PackedWeights pack_head(HeadForm form, int kernel, int out_channels, const float* weights) {
  constexpr int kColours = 3, kCentre = 128;
  constexpr double kLargest = 127 * 256 + 127;  // of two signed bytes
  const int out = padded(out_channels), taps = kernel * kernel;
  const bool bytes = form == HeadForm::kBytes, floats = form == HeadForm::kFloats;
  PackedWeights result;
  result.packed =
      AlignedBytes(size_t(out) * (bytes ? 2 : 1) * kernel * head_steps(form, kernel) * 4);
  result.start.assign(out, 0);
  result.scales.assign(out, 1);
  for (int oc = 0; oc < out_channels; oc++) {
    const float* w = weights + size_t(oc) * kColours * taps;
    float largest = 0;
    for (int i = 0; i < kColours * taps; i++) largest = std::max(largest, std::abs(w[i]));
    const double step = floats || largest == 0 ? 1 : largest / kLargest;
    result.scales[oc] = static_cast<float>(step);
    for (int i = 0; i < kColours * taps; i++) {
      const int colour = i / taps, row = i % taps / kernel, column = i % kernel;
      const double weight = w[i] / step;
      store_head_weight(form, kernel, row, column * kColours + colour, oc, weight, result.packed);
      // Pixels are stored less their centre, also those outside of the picture, which are zero.
      if (bytes) result.start[oc] += kCentre * static_cast<int>(std::nearbyint(weight));
    }
  }
  return result;
}

}  // namespace gdq

#include "plan/weights.h"

#include <algorithm>
#include <cmath>

namespace gdq {
namespace {

// How products.h finds its weights: input channels that lie together, for each of `block` output
// channels in turn.
struct Packing {
  int together, block = 1;

  size_t index(int product, int in, int out, int in_channels, int out_channels) const {
    const size_t step = size_t(product) * (in_channels / together) + in / together;
    return ((step * out_channels / block + out / block) * together + in % together) * block +
           out % block;
  }
};

constexpr double kLargestSum = 2.1e9;  // a little below 2^31

// The largest step that a channel needs: its integers and the sums over them must fit.
// u: (products, in).
double step_of(const KernelAlgorithm& kernel, const double* u, int in_channels) {
  const bool narrow = kernel.shape.weight_bits == 8;
  double largest = 0, sums = 0;
  for (int p = 0; p < kernel.shape.products; p++) {
    const double bound = 128.0 * kernel.rows->data_gain(p / kernel.columns->points) *
                         kernel.columns->data_gain(p % kernel.columns->points);
    double sum = 0;
    for (int ic = 0; ic < in_channels; ic++) {
      largest = std::max(largest, std::abs(u[p * in_channels + ic]));
      sum += std::abs(u[p * in_channels + ic]);
    }
    sums = std::max(sums, sum * bound);
  }
  const double step = narrow ? largest / 127 : std::max(largest / 32767, sums / kLargestSum);
  return step > 0 ? step : 1;
}

constexpr int kNarrowest = -127, kWidest = 127;

// The nearest code, ties to even. Millions are tried, so it is no call of the mathematical library:
// at 1.5 * 2^52 a double has no fraction bits left, and the addition itself rounds.
double narrow_code(double scaled) {
  constexpr double kNoFraction = 6755399441055744.0;
  return (std::min(std::max(scaled, double{kNarrowest}), double{kWidest}) + kNoFraction) -
         kNoFraction;
}

// The step at which 8 bits cost least: the largest weights are rare, and clipping them leaves finer
// steps for the others. u: (products, in).
double narrow_step(const KernelAlgorithm& kernel, const double* u, int in_channels) {
  const double largest = step_of(kernel, u, in_channels);
  double best = largest, least = HUGE_VAL;
  constexpr int kTries = 6;  // down to half of the largest
  double step = largest;
  for (int i = 0; i < kTries; i++, step -= 0.1 * largest) {
    const double inverse = 1 / step;
    double noise = 0;
    for (int p = 0; p < kernel.shape.products; p++) {
      double sum = 0;
      for (int ic = 0; ic < in_channels; ic++) {
        const double weight = u[size_t(p) * in_channels + ic];
        const double error = weight - step * narrow_code(weight * inverse);
        sum += error * error;
      }
      noise += sum * kernel.rows->noise(p / kernel.columns->points) *
               kernel.columns->noise(p % kernel.columns->points);
    }
    if (noise < least) least = noise, best = step;
  }
  return best;
}

// Rounds the weights of one product so that their sum is right, too: activations have a mean, and
// errors of one sign would add up to a shift of all pixels.
void round_together(const double* u, double step, int in_channels, int32_t* integers) {
  double missing = 0;
  for (int ic = 0; ic < in_channels; ic++) {
    integers[ic] = static_cast<int32_t>(narrow_code(u[ic] / step));
    missing += u[ic] / step - integers[ic];
  }
  const int direction = missing > 0 ? 1 : -1;
  for (int left = static_cast<int>(std::nearbyint(std::abs(missing))); left > 0; left--) {
    // The weight that was rounded furthest the other way.
    int chosen = -1;
    double furthest = 0;
    for (int ic = 0; ic < in_channels; ic++) {
      const double error = direction * (u[ic] / step - integers[ic]);
      const int moved = integers[ic] + direction;
      if (error > furthest && moved >= kNarrowest && moved <= kWidest)
        furthest = error, chosen = ic;
    }
    if (chosen < 0) return;
    integers[chosen] += direction;
  }
}

template <class Element>
void pack_elements(const KernelAlgorithm& kernel, const Packing& packing, int out_channels,
                   int in_channels, const std::vector<int32_t>& integers, PackedWeights& result) {
  const size_t count = integers.size();
  result.packed = AlignedBytes(count * sizeof(Element));
  for (int p = 0; p < kernel.shape.products; p++)
    for (int oc = 0; oc < out_channels; oc++)
      for (int ic = 0; ic < in_channels; ic++)
        result.packed.as<Element>()[packing.index(p, ic, oc, in_channels, out_channels)] =
            static_cast<Element>(integers[(size_t(p) * out_channels + oc) * in_channels + ic]);
}

// Quantizes one output channel. u: (products, in); rounded: (in) of each product, `pitch` apart.
double round_channel(const KernelAlgorithm& kernel, const double* u, int in_channels,
                     const float* exact_step, int32_t* rounded, size_t pitch) {
  const bool direct = kernel.rows->is_direct, narrow = kernel.shape.weight_bits == 8;
  const double step = direct && exact_step ? *exact_step
                      : direct || !narrow  ? step_of(kernel, u, in_channels)
                                           : narrow_step(kernel, u, in_channels);
  for (int p = 0; p < kernel.shape.products; p++) {
    const double* real = u + size_t(p) * in_channels;
    int32_t* integers = rounded + p * pitch;
    if (narrow && !direct)
      round_together(real, step, in_channels, integers);
    else
      for (int ic = 0; ic < in_channels; ic++)
        integers[ic] = static_cast<int32_t>(std::nearbyint(real[ic] / step));
  }
  return step;
}

}  // namespace

IntegerWeights quantize(IntegerKernel id, int out_channels, int in_channels, const double* weights,
                        const float* exact_steps) {
  const KernelAlgorithm& kernel = algorithm_of(id);
  const Algorithm &rows = *kernel.rows, &columns = *kernel.columns;
  const int products = kernel.shape.products;
  const size_t pitch = size_t(out_channels) * in_channels;
  IntegerWeights result;
  result.integers.resize(products * pitch);
  result.sums.resize(size_t(products) * out_channels);
  std::vector<double> u(size_t(products) * in_channels), one(products);
  for (int oc = 0; oc < out_channels; oc++) {
    for (int ic = 0; ic < in_channels; ic++) {
      transform(rows, columns, weights + (size_t(oc) * in_channels + ic) * 9, one.data());
      for (int p = 0; p < products; p++) u[size_t(p) * in_channels + ic] = one[p];
    }
    int32_t* rounded = &result.integers[size_t(oc) * in_channels];
    const double step = round_channel(kernel, u.data(), in_channels,
                                      exact_steps ? exact_steps + oc : nullptr, rounded, pitch);
    double ones = 0;
    for (int p = 0; p < products; p++) {
      int32_t sum = 0;
      for (int ic = 0; ic < in_channels; ic++) sum += rounded[p * pitch + ic];
      result.sums[size_t(p) * out_channels + oc] = sum;
      ones +=
          double(rows.data_sum(p / columns.points) * columns.data_sum(p % columns.points)) * sum;
    }
    const double scale = step / (rows.output_factor * columns.output_factor);
    result.scales.push_back(static_cast<float>(scale));
    result.ones.push_back(ones * rows.constant_factor() * columns.constant_factor());
  }
  return result;
}

PackedWeights pack_integer(IntegerKernel id, const KernelTable& table, int out_channels,
                           int in_channels, const IntegerWeights& weights) {
  const KernelAlgorithm& kernel = algorithm_of(id);
  const bool direct = kernel.rows->is_direct, narrow = kernel.shape.weight_bits == 8;
  PackedWeights result;
  result.scales = weights.scales;
  result.ones = weights.ones;
  result.start.assign(size_t(direct ? 1 : kernel.shape.products) * out_channels, 0);
  if (narrow && table.unsigned_data)
    for (int p = 0; p < kernel.shape.products; p++)
      for (int oc = 0; oc < out_channels; oc++)
        result.start[size_t(direct ? 0 : p) * out_channels + oc] -=
            128 * weights.sums[size_t(p) * out_channels + oc];
  if (narrow)
    pack_elements<int8_t>(kernel, {4}, out_channels, in_channels, weights.integers, result);
  else
    pack_elements<int16_t>(kernel, {2, table.int16_block}, out_channels, in_channels,
                           weights.integers, result);
  return result;
}

}  // namespace gdq

#include "plan/real_weights.h"

#include <algorithm>
#include <cmath>

namespace gdq {
namespace {

AlignedBytes pack_real(const Algorithm& algorithm, int out_channels, int in_channels,
                       const float* weights) {
  const int products = algorithm.points * algorithm.points, out = padded(out_channels);
  const int taps = algorithm.taps * algorithm.taps;
  AlignedBytes packed(size_t(products) * in_channels * out * sizeof(float));
  std::vector<double> u(products);
  for (int oc = 0; oc < out_channels; oc++)
    for (int ic = 0; ic < in_channels; ic++) {
      const float* w = weights + (size_t(oc) * in_channels + ic) * taps;
      transform(algorithm, algorithm, std::vector<double>(w, w + taps).data(), u.data());
      for (int p = 0; p < products; p++)
        packed.as<float>()[(size_t(p) * in_channels + ic) * out + oc] = static_cast<float>(u[p]);
    }
  return packed;
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

AlignedBytes pack_real3(int out_channels, int in_channels, const float* weights) {
  return pack_real(kF6, out_channels, in_channels, weights);
}

AlignedBytes pack_real5(int out_channels, int in_channels, const float* weights) {
  return pack_real(kF45, out_channels, in_channels, weights);
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

// Body layers on every instruction set of this processor against plain code: those that narrow
// their sums must be equal in every bit, those that end in float may round a tie the other way.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "aligned.h"
#include "isa/instruction_sets.h"
#include "plan/body.h"

namespace {

constexpr int kHeight = 13, kWidth = 27, kOut = 64, kBorder = 6;

struct Layer {
  gdq::IntegerKernel kernel;
  int in_channels;
  std::vector<double> weights;
  std::vector<int8_t> codes;      // (height, width, in)
  std::vector<int16_t> residual;  // (height, width, out)
};

struct Result {
  std::vector<int8_t> codes;
  std::vector<int16_t> stream;
};

Layer draw(gdq::IntegerKernel kernel, int in_channels) {
  std::mt19937 random(kernel * 100 + in_channels);
  std::normal_distribution<double> normal;
  const int half = 1 << (gdq::kernel_shape(kernel).largest_bits - 1);
  Layer layer{kernel, in_channels, {}, {}, {}};
  for (int i = 0; i < kOut * in_channels * 9; i++) layer.weights.push_back(normal(random));
  for (int i = 0; i < kHeight * kWidth * in_channels; i++)
    layer.codes.push_back(static_cast<int8_t>(static_cast<int>(random() % (2 * half)) - half));
  for (int i = 0; i < kHeight * kWidth * kOut; i++)
    layer.residual.push_back(static_cast<int16_t>(static_cast<int>(random() % 2000) - 1000));
  return layer;
}

// A map with a border of zeros and room for whole tiles.
template <class T>
class Map {
 public:
  explicit Map(int channels)
      : channels_(channels),
        pitch_(ptrdiff_t{kWidth + 2 * kBorder} * channels),
        memory_(size_t(kHeight + 2 * kBorder) * pitch_ * sizeof(T)) {}
  T* origin() { return memory_.as<T>() + kBorder * pitch_ + ptrdiff_t{kBorder} * channels_; }
  ptrdiff_t pitch() const { return pitch_; }
  void read(const std::vector<T>& from) {
    for (int y = 0; y < kHeight; y++)
      std::copy_n(&from[size_t(y) * kWidth * channels_], kWidth * channels_, origin() + y * pitch_);
  }
  std::vector<T> all() const {
    const size_t count = memory_.size() / sizeof(T);
    return {memory_.as<T>(), memory_.as<T>() + count};
  }

 private:
  int channels_;
  ptrdiff_t pitch_;
  gdq::AlignedBytes memory_;
};

Result run(const gdq::KernelTable& table, const Layer& layer, bool has_stream, bool has_codes) {
  const int bits = gdq::kernel_shape(layer.kernel).largest_bits, half = 1 << (bits - 1);
  const gdq::BodyWeights weights = gdq::pack_body(
      layer.kernel, table.body, kOut, layer.in_channels,
      gdq::quantize(layer.kernel, kOut, layer.in_channels, layer.weights.data(), nullptr));
  gdq::BodyProblem problem{};
  problem.kernel = layer.kernel;
  problem.weights = &weights;
  problem.bits = bits;
  double largest = 0;
  for (int oc = 0; oc < kOut; oc++) {
    problem.scales.push_back(weights.integer.scales[oc] * gdq::output_factor(layer.kernel));
    problem.biases.push_back(0.37 * oc * half);
    largest = std::max(largest, weights.outputs[oc] * half * problem.scales[oc]);
  }
  problem.narrowing = gdq::find_narrowing(problem).value_or(gdq::kMostNarrowing);
  const double unit = has_stream ? largest / 8000 : largest / half;
  const auto numbers = gdq::number_body(problem, table.body, unit, !has_stream);
  if (!numbers) std::abort();
  Map<int8_t> source(layer.in_channels), codes(kOut);
  Map<int16_t> stream(kOut);
  source.read(layer.codes);
  stream.read(layer.residual);
  gdq::AlignedBytes scratch(gdq::body_scratch(layer.kernel, table.body, layer.in_channels));
  gdq::BodyLayer body{};
  body.source = source.origin();
  body.pitch = source.pitch();
  body.height = kHeight;
  body.width = kWidth;
  body.in_channels = layer.in_channels;
  body.out_channels = kOut;
  body.weights = weights.packed.as<int8_t>();
  body.start = numbers->start.data();
  body.narrowing = problem.narrowing;
  body.factors = numbers->factors.data();
  body.scales = numbers->scales.data();
  body.addends = numbers->addends.data();
  body.scratch = scratch.as<char>();
  if (has_stream) body.residual = body.stream = stream.origin();
  body.residual_pitch = body.stream_pitch = stream.pitch();
  if (has_codes) body.codes = codes.origin();
  body.codes_pitch = codes.pitch();
  body.codes_factor = 1000;
  body.codes_low = static_cast<int8_t>(-half);
  body.codes_high = static_cast<int8_t>(half - 1);
  table.body_layers[layer.kernel](body);
  return {codes.all(), stream.all()};
}

template <class T>
bool agree(const std::vector<T>& one, const std::vector<T>& other, bool exactly) {
  size_t different = 0;
  for (size_t i = 0; i < one.size(); i++) {
    if (std::abs(one[i] - other[i]) > (exactly ? 0 : 1)) return false;
    different += one[i] != other[i];
  }
  return different <= one.size() / 100;
}

}  // namespace

int main() {
  const gdq::InstructionSet& plain = gdq::choose_instruction_set("scalar");
  int failures = 0, compared = 0;
  for (const gdq::InstructionSet& isa : gdq::instruction_sets())
    for (int i = 0; i < gdq::kIntegerKernels; i++) {
      const auto kernel = static_cast<gdq::IntegerKernel>(i);
      if (!isa.available || !isa.kernels->body_layers[kernel]) continue;
      for (const int in_channels : {16, 32, 48, 64})
        for (const int ends : {1, 2, 3}) {
          const Layer layer = draw(kernel, in_channels);
          const bool codes = (ends & 1) != 0, stream = (ends & 2) != 0;
          const Result one = run(*isa.kernels, layer, stream, codes);
          const Result other = run(*plain.kernels, layer, stream, codes);
          const bool exactly = gdq::narrows(kernel);
          compared++;
          if (agree(one.codes, other.codes, exactly) && agree(one.stream, other.stream, exactly))
            continue;
          std::printf("failed: %s on %s, %d channels, ends %d\n", gdq::kernel_shape(kernel).name,
                      isa.name, in_channels, ends);
          failures++;
        }
    }
  if (compared == 0) std::printf("failed: nothing was compared\n");
  return failures == 0 && compared > 0 ? 0 : 1;
}

// Real layers against sums in 64 bits and in double, on every instruction set that is there.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "aligned.h"
#include "isa/instruction_sets.h"
#include "plan/real_weights.h"

namespace {

int failures = 0;

void check(bool good, const char* isa, const char* what) {
  if (good) return;
  std::printf("failed on %s: %s\n", isa, what);
  failures++;
}

// What a kernel hands to its epilogue, (height, width, channels).
std::vector<float> handed;

void keep_sums(const gdq::Epilogue& e, const gdq::Sums& sums) {
  const int end = std::min(e.channels, sums.channel + sums.channels);
  for (int r = 0; r < sums.rows && sums.row + r < e.height; r++)
    for (int c = 0; c < sums.columns && sums.column + c < e.width; c++)
      for (int oc = sums.channel; oc < end; oc++)
        handed[((sums.row + r) * e.width + sums.column + c) * size_t(e.channels) + oc] =
            sums.first[r * sums.row_pitch + c * sums.column_pitch + oc - sums.channel];
}

struct HeadCase {
  int height, width, kernel, channels;
};

// Weights that are integers with a step of one.
std::vector<float> integer_weights(const HeadCase& c, std::mt19937& random) {
  std::vector<float> weights(size_t(c.channels) * 3 * c.kernel * c.kernel);
  std::uniform_int_distribution<int> any(-32639, 32639);
  for (float& w : weights) w = static_cast<float>(any(random));
  const size_t each = weights.size() / c.channels;
  for (int oc = 0; oc < c.channels; oc++) weights[oc * each] = oc % 2 ? 32639 : -32639;
  return weights;
}

int64_t head_sum(const HeadCase& c, const uint8_t* picture, const float* weights, int y, int x,
                 int oc) {
  const int half = c.kernel / 2;
  int64_t sum = 0;
  for (int colour = 0; colour < 3; colour++)
    for (int i = 0; i < c.kernel; i++)
      for (int j = 0; j < c.kernel; j++) {
        const int row = y + i - half, column = x + j - half;
        if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
        const float w = weights[((oc * 3 + colour) * c.kernel + i) * c.kernel + j];
        sum += static_cast<int64_t>(w) * picture[(row * c.width + column) * 3 + colour];
      }
  return sum;
}

// Integer heads give the sum of 64 bits, as near as a float can be; the float one rounds each
// product.
void head_is_exact(const gdq::InstructionSet& isa, const HeadCase& c) {
  std::mt19937 random(c.width);
  const std::vector<float> weights = integer_weights(c, random);
  std::vector<uint8_t> picture(size_t(c.height) * c.width * 3);
  for (uint8_t& p : picture) p = static_cast<uint8_t>(random() % 4 ? random() % 256 : 255);
  const gdq::HeadForm form = isa.real->head_form;
  const gdq::PackedWeights packed = gdq::pack_head(form, c.kernel, c.channels, weights.data());
  gdq::AlignedBytes scratch(
      gdq::head_scratch(c.kernel, 4 / gdq::head_together(form), c.width, gdq::padded(c.channels)));
  gdq::Epilogue epilogue{};
  epilogue.height = c.height;
  epilogue.width = c.width;
  epilogue.channels = c.channels;
  gdq::Convolution layer{};
  layer.source = picture.data();
  layer.pitch = c.width * 3;
  layer.height = c.height;
  layer.width = c.width;
  layer.in_channels = 3;
  layer.out_channels = gdq::padded(c.channels);
  layer.kernel = c.kernel;
  layer.weights = packed.packed.as<char>();
  layer.start = packed.start.data();
  layer.scratch = scratch.as<char>();
  layer.finish = keep_sums;
  layer.epilogue = &epilogue;
  handed.assign(size_t(c.height) * c.width * c.channels, NAN);
  isa.real->head(layer);
  const double roundings = form == gdq::HeadForm::kFloats ? 3 * c.kernel * c.kernel : 1;
  for (int y = 0; y < c.height; y++)
    for (int x = 0; x < c.width; x++)
      for (int oc = 0; oc < c.channels; oc++) {
        const auto exact =
            static_cast<double>(head_sum(c, picture.data(), weights.data(), y, x, oc));
        const float sum = handed[(y * c.width + x) * size_t(c.channels) + oc];
        const double most = form == gdq::HeadForm::kFloats
                                ? roundings * 255 * 32639 * roundings / (1 << 24)
                                : std::abs(exact) / (1 << 24);
        check(std::abs(sum * packed.scales[oc] - exact) <= most, isa.name, "the head's sums");
      }
}

// A stream with zeros around it, as the runner makes it.
struct Map {
  static constexpr int kBorder = 2, kSpare = 12;
  int height, width, channels;
  std::vector<int16_t> memory;

  Map(int height, int width, int channels)
      : height(height),
        width(width),
        channels(channels),
        memory(size_t(height + 2 * kBorder + kSpare) * pitch() + 64) {}
  ptrdiff_t pitch() const { return ptrdiff_t(width + 2 * kBorder + kSpare) * channels; }
  int16_t* at(int y, int x) {
    return memory.data() + (y + kBorder) * pitch() + ptrdiff_t(x + kBorder) * channels;
  }
};

struct StreamCase {
  int height, width, kernel, in, out;
};

// One layer of a stream, its weights, and what it should give.
struct StreamLayer {
  StreamCase c;
  std::vector<float> weights;
  Map source;
  std::vector<double> sums, sizes;  // (height, width, out), and the same of all magnitudes

  // loudness: of the stream, of 32767. matched: such that some sums are as large as they can be.
  StreamLayer(const StreamCase& c, double loudness, bool matched)
      : c(c), weights(size_t(c.out) * c.in * c.kernel * c.kernel), source(c.height, c.width, c.in) {
    std::mt19937 random(c.width + c.in);
    std::normal_distribution<float> normal;
    for (float& w : weights) w = normal(random) / static_cast<float>(c.kernel * std::sqrt(c.in));
    for (int y = 0; y < c.height; y++)
      for (int x = 0; x < c.width; x++)
        for (int ic = 0; ic < c.in; ic++) {
          const double wave = std::sin(y * 0.2 + ic) * std::cos(x * 0.3) + normal(random) * 0.2;
          const bool positive = weight(0, ic, y % c.kernel, x % c.kernel) > 0;
          source.at(y, x)[ic] = static_cast<int16_t>(
              matched ? (positive ? 32767 : -32768)
                      : std::lround(std::clamp(wave, -1.0, 1.0) * loudness * 32767));
        }
    sum();
  }

  float weight(int oc, int ic, int i, int j) const {
    return weights[((size_t(oc) * c.in + ic) * c.kernel + i) * c.kernel + j];
  }

  void sum() {
    const int half = c.kernel / 2;
    for (int y = 0; y < c.height; y++)
      for (int x = 0; x < c.width; x++)
        for (int oc = 0; oc < c.out; oc++) {
          double sum = 0, size = 0;
          for (int ic = 0; ic < c.in; ic++)
            for (int i = 0; i < c.kernel; i++)
              for (int j = 0; j < c.kernel; j++) {
                const double product =
                    double(weight(oc, ic, i, j)) * source.at(y + i - half, x + j - half)[ic];
                sum += product;
                size += std::abs(product);
              }
          sums.push_back(sum);
          sizes.push_back(size);
        }
  }

  // What a kernel writes through its epilogue.
  void run(gdq::ConvolutionFunction kernel, const gdq::PackedWeights& packed, float step,
           gdq::EpilogueFunction finish, gdq::Epilogue& epilogue) {
    gdq::AlignedBytes scratch(gdq::real_scratch(6, 8, sizeof(float), c.width, c.in));
    std::memset(scratch.as<char>(), -1, scratch.size());  // not a number, whatever its size
    epilogue.height = c.height;
    epilogue.width = c.width;
    epilogue.channels = c.out;
    gdq::Convolution layer{};
    layer.source = source.at(0, 0);
    layer.pitch = source.pitch();
    layer.height = c.height;
    layer.width = c.width;
    layer.in_channels = c.in;
    layer.out_channels = gdq::padded(c.out);
    layer.kernel = c.kernel;
    layer.step = step;
    layer.weights = packed.packed.as<char>();
    layer.scratch = scratch.as<char>();
    layer.finish = finish;
    layer.epilogue = &epilogue;
    kernel(layer);
  }

  // The sums that a kernel hands over.
  void hand(gdq::ConvolutionFunction kernel, const gdq::PackedWeights& packed, float step) {
    gdq::Epilogue epilogue{};
    handed.assign(sums.size(), NAN);
    run(kernel, packed, step, keep_sums, epilogue);
    for (size_t i = 0; i < handed.size(); i++)
      handed[i] *= packed.scales.empty() ? 1 : packed.scales[i % c.out];
  }
};

const StreamCase kStreams[] = {{2, 2, 3, 16, 16},  {9, 13, 3, 16, 48}, {12, 48, 3, 32, 32},
                               {5, 70, 3, 64, 64}, {2, 3, 5, 16, 12},  {11, 26, 5, 32, 27},
                               {8, 40, 5, 64, 12}, {13, 9, 5, 16, 48}};

void floats_are_close(const gdq::InstructionSet& isa, const StreamCase& c) {
  StreamLayer layer(c, 1, false);
  constexpr float kStep = 0.25f;
  const bool three = c.kernel == 3;
  const auto form = three ? gdq::RealForm::kThree : gdq::RealForm::kFive;
  layer.hand(three ? isa.real->three : isa.real->five,
             gdq::pack_real(form, c.out, c.in, layer.weights.data()), kStep);
  // Transforms make intermediate numbers up to hundreds of times the output's.
  for (size_t i = 0; i < handed.size(); i++)
    check(std::abs(handed[i] - layer.sums[i] * kStep) <= layer.sizes[i] * kStep * 2e-4 + 1,
          isa.name, "sums in float");
}

double decibels(const std::vector<double>& expected, const std::vector<float>& got) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    signal += expected[i] * expected[i];
    noise += (got[i] - expected[i]) * (got[i] - expected[i]);
  }
  return 10 * std::log10(signal / noise);
}

struct HalfKernel {
  gdq::ConvolutionFunction run;
  gdq::RealForm form;
  double least;  // signal to noise, dB
};

HalfKernel half_kernel(const gdq::InstructionSet& isa, const StreamCase& c) {
  if (c.kernel == 3) return {isa.real->three_half, gdq::RealForm::kThreeHalf, 44};
  return {isa.real->five_half, gdq::RealForm::kFiveHalf, 38};
}

void halves_are_close(const gdq::InstructionSet& isa, const StreamCase& c) {
  const HalfKernel kernel = half_kernel(isa, c);
  if (!kernel.run) return;
  for (const double loudness : {1.0, 0.01}) {
    StreamLayer layer(c, loudness, false);
    const auto packed = gdq::pack_half(kernel.form, c.out, c.in, layer.weights.data(), 1);
    check(packed.has_value(), isa.name, "weights fit half precision");
    if (!packed) continue;
    layer.hand(kernel.run, *packed, 0);
    const double least = loudness < 1 ? kernel.least - 2 : kernel.least;
    const double found = decibels(layer.sums, handed);
    check(found >= least, isa.name, "sums in half precision");
    if (found < least) std::printf("  %.1f dB of %.0f, kernel %d\n", found, least, c.kernel);
  }
}

void halves_stay_finite(const gdq::InstructionSet& isa, const StreamCase& c) {
  const HalfKernel kernel = half_kernel(isa, c);
  if (!kernel.run) return;
  StreamLayer layer(c, 1, true);
  const auto packed = gdq::pack_half(kernel.form, c.out, c.in, layer.weights.data(), 1);
  if (!packed) return;
  layer.hand(kernel.run, *packed, 0);
  for (size_t i = 0; i < handed.size(); i++)
    check(std::abs(handed[i] - layer.sums[i]) <= 0.05 * layer.sizes[i] + 1, isa.name,
          "the largest sums in half precision");
}

// Bodies' ends: a residual is added, and the sum kept in steps, ties to even.
void half_ends_are_written(const gdq::InstructionSet& isa, const StreamCase& c) {
  if (!isa.real->three_half || c.kernel != 3) return;
  StreamLayer layer(c, 0.1, false);
  const auto packed =
      gdq::pack_half(gdq::RealForm::kThreeHalf, c.out, c.in, layer.weights.data(), 1);
  if (!packed) std::abort();  // no scale fits: these numbers are not what is tested here
  Map residual(c.height, c.width, c.out), stream(c.height, c.width, c.out);
  for (size_t i = 0; i < residual.memory.size(); i++) residual.memory[i] = i % 4001 - 2000;
  const std::vector<float> biases(c.out, 7.0f);
  gdq::Epilogue epilogue{};
  epilogue.scales = packed->scales.data();
  epilogue.biases = biases.data();
  epilogue.block = 1;
  epilogue.flags = gdq::kResidual | gdq::kStream;
  epilogue.residual = residual.at(0, 0);
  epilogue.residual_pitch = residual.pitch();
  epilogue.residual_factor = 0.75f;
  epilogue.stream = stream.at(0, 0);
  epilogue.stream_pitch = stream.pitch();
  layer.run(isa.real->three_half, *packed, 0, isa.kernels->epilogues[epilogue.flags], epilogue);
  for (int y = -1; y <= c.height; y++)
    for (int x = -1; x <= c.width; x++)
      for (int oc = 0; oc < c.out; oc++) {
        const int got = stream.at(y, x)[oc];
        if (y < 0 || x < 0 || y == c.height || x == c.width) {
          check(got == 0, isa.name, "a map keeps its border");
          continue;
        }
        const size_t i = (size_t(y) * c.width + x) * c.out + oc;
        const double exact = layer.sums[i] + 7 + 0.75 * residual.at(y, x)[oc];
        const double most = 0.02 * layer.sizes[i] + std::abs(exact) / 1024 + 2;
        check(std::abs(got - exact) <= most, isa.name, "a body's end in half precision");
      }
}

// Merged tails, upscaled by two and by three.
void half_pictures_are_written(const gdq::InstructionSet& isa, const StreamCase& c) {
  const int block = c.out == 12 ? 2 : 3;
  if (!isa.real->five_half || c.kernel != 5 || c.out != 3 * block * block) return;
  StreamLayer layer(c, 0.1, false);
  const auto packed =
      gdq::pack_half(gdq::RealForm::kFiveHalf, c.out, c.in, layer.weights.data(), 0.05);
  if (!packed) std::abort();  // no scale fits: these numbers are not what is tested here
  const std::vector<float> biases(gdq::padded(c.out), 100.0f);
  std::vector<uint8_t> picture(size_t(c.height) * c.width * c.out);
  gdq::Epilogue epilogue{};
  epilogue.scales = packed->scales.data();
  epilogue.biases = biases.data();
  epilogue.block = block;
  epilogue.flags = gdq::kStream;
  epilogue.picture = picture.data();
  layer.run(isa.real->five_half, *packed, 0, isa.kernels->picture, epilogue);
  for (int y = 0; y < c.height * block; y++)
    for (int x = 0; x < c.width * block; x++)
      for (int colour = 0; colour < 3; colour++) {
        const int oc = (y % block * block + x % block) * 3 + colour;
        const size_t i = (size_t(y / block) * c.width + x / block) * c.out + oc;
        const double exact = std::clamp(layer.sums[i] * 0.05 + 100, 0.0, 255.0);
        const int got = picture[(size_t(y) * c.width * block + x) * 3 + colour];
        check(std::abs(got - exact) <= 0.75 + 0.02 * layer.sizes[i] * 0.05, isa.name,
              "a picture from half precision");
      }
}

void halves_round_to_even() {
  const struct {
    double x;
    int bits;
  } cases[] = {{0, 0},
               {1, 0x3C00},
               {-2, 0xC000},
               {65504, 0x7BFF},
               {1 + 1. / 2048, 0x3C00},
               {1 + 3. / 2048, 0x3C02},
               {0x1p-14, 0x0400},
               {0x1p-24, 0x0001},
               {0x1p-26, 0},
               {0x1.ffcp-15, 0x03FF + 1},
               {1. / 3, 0x3555},
               {2047.5, 0x6800}};
  for (const auto& one : cases)
    check(gdq::half_bits(one.x) == one.bits, "every processor", "a number of half precision");
}

}  // namespace

int main() {
  const HeadCase heads[] = {{2, 2, 3, 16},  {5, 16, 3, 32}, {3, 17, 3, 48}, {4, 33, 1, 16},
                            {6, 21, 5, 64}, {3, 8, 7, 16},  {9, 19, 9, 16}, {2, 40, 3, 12}};
  halves_round_to_even();
  for (const gdq::InstructionSet& isa : gdq::instruction_sets()) {
    if (!isa.available) continue;
    for (const HeadCase& head : heads) head_is_exact(isa, head);
    for (const StreamCase& stream : kStreams) {
      floats_are_close(isa, stream);
      halves_are_close(isa, stream);
      halves_stay_finite(isa, stream);
      half_ends_are_written(isa, stream);
      half_pictures_are_written(isa, stream);
    }
  }
  return failures == 0 ? 0 : 1;
}

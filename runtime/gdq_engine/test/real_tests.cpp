// Real layers against sums in 64 bits and in double, on every instruction set that is there.
#include <cmath>
#include <cstdint>
#include <cstdio>
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
  for (int r = 0; r < sums.rows && sums.row + r < e.height; r++)
    for (int c = 0; c < sums.columns && sums.column + c < e.width; c++)
      for (int oc = 0; oc < e.channels; oc++)
        handed[((sums.row + r) * e.width + sums.column + c) * size_t(e.channels) + oc] =
            sums.first[r * sums.row_pitch + c * sums.column_pitch + oc];
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

}  // namespace

int main() {
  const HeadCase heads[] = {{2, 2, 3, 16},  {5, 16, 3, 32}, {3, 17, 3, 48}, {4, 33, 1, 16},
                            {6, 21, 5, 64}, {3, 8, 7, 16},  {9, 19, 9, 16}, {2, 40, 3, 12}};
  for (const gdq::InstructionSet& isa : gdq::instruction_sets()) {
    if (!isa.available) continue;
    for (const HeadCase& head : heads) head_is_exact(isa, head);
  }
  return failures == 0 ? 0 : 1;
}

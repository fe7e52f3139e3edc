// What the predictor needs of a tile against plain loops, on every instruction set that is there.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "aligned.h"
#include "isa/instruction_sets.h"

namespace {

int failures = 0;

void check(bool good, const char* isa, const char* what) {
  if (good) return;
  std::printf("failed on %s: %s\n", isa, what);
  failures++;
}

struct PatchCase {
  int rows, columns, channels, kernel, step, largest;
};

// Element i of a patch: 1, and then (kernel, kernel, channels).
int64_t element(const gdq::PatchProducts& job, int y, int x, int i) {
  if (i == 0) return 1;
  const int colour = (i - 1) % job.channels, tap = (i - 1) / job.channels;
  const ptrdiff_t row = y * job.step + tap / job.kernel, column = x * job.step + tap % job.kernel;
  return job.image[row * job.pitch + column * job.channels + colour];
}

void patches_are_multiplied(const gdq::InstructionSet& isa, const PatchCase& c,
                            gdq::PatchProductsFunction multiply) {
  std::mt19937 random(c.rows);
  const int height = c.rows * c.step + c.kernel - 1, width = c.columns * c.step + c.kernel - 1;
  std::vector<int16_t> image(size_t(height) * width * c.channels + 64);
  for (int16_t& one : image)
    one = static_cast<int16_t>(random() % 3 ? -c.largest
                                            : int(random() % (2 * c.largest)) - c.largest);
  const int used = 1 + c.kernel * c.kernel * c.channels, components = (used + 15) / 16 * 16;
  gdq::AlignedBytes scratch(gdq::patch_scratch(components) +
                            gdq::correlation_scratch(c.channels, height, width));
  std::vector<int64_t> sums(size_t(components) * components);
  gdq::PatchProducts job{};
  job.image = image.data();
  job.pitch = ptrdiff_t{width} * c.channels;
  job.channels = c.channels;
  job.kernel = c.kernel;
  job.rows = c.rows;
  job.columns = c.columns;
  job.step = c.step;
  job.components = components;
  job.products = used;
  job.scratch = scratch.as<int16_t>();
  job.sums = sums.data();
  multiply(job);
  for (int i = 0; i < used; i++)
    for (int j = i; j < used; j++) {
      int64_t sum = 0;
      for (int y = 0; y < c.rows; y++)
        for (int x = 0; x < c.columns; x++) sum += element(job, y, x, i) * element(job, y, x, j);
      check(sums[size_t(i) * components + j] == sum, isa.name, "products of patches");
    }
}

void lumas_are_counted(const gdq::InstructionSet& isa, int side) {
  std::mt19937 random(side);
  std::vector<uint8_t> pixels(size_t(side) * side * 3);
  for (uint8_t& one : pixels) one = static_cast<uint8_t>(random() % 256);
  gdq::AlignedBytes scratch(gdq::luma_scratch(side));
  double sums[gdq::kBins];
  isa.kernels->luma_density(
      {pixels.data(), ptrdiff_t{side} * 3, side, scratch.as<int32_t>(), sums});
  for (int bin = 0; bin < gdq::kBins; bin++) {
    double sum = 0;
    for (size_t i = 0; i < pixels.size(); i += 3) {
      const double luma =
          (0.2989 * pixels[i] + 0.5870 * pixels[i + 1] + 0.1140 * pixels[i + 2]) / 255;
      const double x = (luma - bin / double(gdq::kBins - 1)) / 0.0255;
      sum += std::exp(-x * x / 2);
    }
    check(std::abs(sums[bin] - sum) <= 1e-5 * sum + 1e-9 * side * side, isa.name,
          "densities of luma");
  }
}

}  // namespace

int main() {
  const PatchCase cases[] = {{3, 3, 3, 3, 1, 128},   {4, 9, 3, 3, 1, 128},  {33, 40, 3, 3, 1, 128},
                             {21, 70, 4, 3, 1, 128}, {9, 12, 3, 5, 1, 128}, {10, 9, 3, 9, 1, 128},
                             {7, 8, 3, 1, 1, 128},   {9, 10, 3, 3, 2, 512}, {8, 5, 3, 3, 4, 2048}};
  for (const gdq::InstructionSet& isa : gdq::instruction_sets()) {
    if (!isa.available) continue;
    for (const PatchCase& one : cases) {
      patches_are_multiplied(isa, one, isa.kernels->patch_products);
      if (one.step == 1) patches_are_multiplied(isa, one, isa.kernels->correlate_patches);
    }
    for (const int side : {4, 31, 100}) lumas_are_counted(isa, side);
  }
  return failures == 0 ? 0 : 1;
}

// Times one body layer on each kernel of an instruction set.
//
//   bench_layers ISA CHANNELS SIDE REPEATS [KERNEL]
//
// Codes to codes, and codes to a stream and codes, on a map of SIDE x SIDE pixels of zeros, which
// cost what others do; and at which widths of codes the kernel is exact, and is the one that the
// engine chooses. The calls that are counted lie between two getppid(), for what traces
// programs.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#ifndef _WIN32
#include <unistd.h>
#endif

#include "aligned.h"
#include "arguments.h"
#include "isa/instruction_sets.h"
#include "plan/body.h"

namespace {

void mark() {
#ifndef _WIN32
  getppid();
#endif
}

double milliseconds(const gdq::BodyLayer& layer, gdq::BodyFunction run, int repeats) {
  using Clock = std::chrono::steady_clock;
  double least = 1e30;
  run(layer);
  mark();
  for (int i = 0; i < repeats; i++) {
    const auto start = Clock::now();
    run(layer);
    least =
        std::min(least, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  mark();
  return least;
}

void measure(const gdq::KernelTable& table, gdq::IntegerKernel kernel, int channels, int side,
             int repeats) {
  const std::vector<double> zeros(size_t(channels) * channels * 9);
  const gdq::BodyWeights weights =
      gdq::pack_body(kernel, table.body, channels, channels,
                     gdq::quantize(kernel, channels, channels, zeros.data(), nullptr));
  const std::vector<int32_t> start =
      gdq::body_start(kernel, table.body, weights, 3, std::vector<int32_t>(channels));
  const std::vector<int16_t> factors(channels, 1000);
  const std::vector<float> scales(channels, 0.01f), addends(channels, table.body.magic);
  const ptrdiff_t pitch = ptrdiff_t{side + 14} * channels;
  const size_t count = size_t(side + 14) * pitch;
  gdq::AlignedBytes source(count), codes(count), stream(count * 2);
  gdq::AlignedBytes scratch(gdq::body_scratch(kernel, table.body, channels));
  gdq::BodyLayer layer{};
  layer.source = source.as<int8_t>() + pitch + channels;
  layer.codes = codes.as<int8_t>() + pitch + channels;
  layer.pitch = layer.codes_pitch = layer.stream_pitch = layer.residual_pitch = pitch;
  layer.height = layer.width = side;
  layer.in_channels = layer.out_channels = channels;
  layer.weights = weights.packed.as<int8_t>();
  layer.start = start.data();
  layer.factors = factors.data();
  layer.scales = scales.data();
  layer.addends = addends.data();
  layer.narrowing = 3;
  layer.codes_factor = 1000;
  layer.codes_low = -8;
  layer.codes_high = 7;
  layer.scratch = scratch.as<char>();
  const double first = milliseconds(layer, table.body_layers[kernel], repeats);
  layer.residual = layer.stream = stream.as<int16_t>() + pitch + channels;
  const double second = milliseconds(layer, table.body_layers[kernel], repeats);
  const gdq::KernelShape& shape = gdq::kernel_shape(kernel);
  std::printf(
      "%-12s %d channels: codes %.3f ms, stream and codes %.3f ms, up to %d bits, chosen at",
      shape.name, channels, first, second, shape.largest_bits);
}

void print_choice(const gdq::InstructionSet& isa, gdq::IntegerKernel kernel) {
  for (const int bits : {4, 5, 6, 8})
    if (gdq::best_kernel(isa, bits) == kernel) std::printf(" %d", bits);
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: bench_layers ISA CHANNELS SIDE REPEATS [KERNEL]\n");
    return 2;
  }
  const int channels = whole(argv[2]), side = whole(argv[3]), repeats = whole(argv[4]);
  const gdq::InstructionSet& isa = gdq::choose_instruction_set(argv[1]);
  const gdq::KernelTable& table = *isa.kernels;
  if (channels < 1 || channels % 16 != 0 || channels % table.body.group != 0) {
    std::fprintf(stderr, "%s has body layers of multiples of %d channels\n", argv[1],
                 std::max(16, table.body.group));
    return 2;
  }
  for (int i = 0; i < gdq::kIntegerKernels; i++) {
    const auto kernel = static_cast<gdq::IntegerKernel>(i);
    const bool wanted = argc < 6 || std::strcmp(argv[5], gdq::kernel_shape(kernel).name) == 0;
    if (!table.body_layers[kernel] || !wanted) continue;
    measure(table, kernel, channels, side, repeats);
    print_choice(isa, kernel);
  }
  return 0;
}

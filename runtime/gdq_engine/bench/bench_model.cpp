// Times a tile of a packed model at each bit-width.
//
//   bench_model MODEL ISA SIDE REPEATS [BITS]
//
// The least of some runs after a first one; those that are counted lie between two getppid(), for
// what traces programs.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#ifndef _WIN32
#include <unistd.h>
#endif

#include "arguments.h"
#include "gdq_engine.h"

namespace {

void mark() {
#ifndef _WIN32
  getppid();
#endif
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: bench_model MODEL ISA SIDE REPEATS [BITS]\n");
    return 2;
  }
  using Clock = std::chrono::steady_clock;
  const int side = whole(argv[3]), repeats = whole(argv[4]);
  gdq_model* model = gdq_model_load(argv[1], argv[2]);
  gdq_runner* runner = model ? gdq_runner_create(model, side, side) : nullptr;
  if (!runner) {
    std::fprintf(stderr, "%s\n", gdq_last_error());
    return 1;
  }
  int32_t widths[4];
  const int count = gdq_model_bit_widths(model, widths), scale = gdq_model_scale(model);
  std::vector<uint8_t> tile(size_t(side) * side * 3), picture(tile.size() * scale * scale);
  for (size_t i = 0; i < tile.size(); i++) tile[i] = static_cast<uint8_t>(i * 2654435761u >> 24);
  for (int i = 0; i < count; i++) {
    if (argc > 5 && whole(argv[5]) != widths[i]) continue;
    double least = 1e30;
    gdq_runner_run(runner, widths[i], tile.data(), picture.data());
    mark();
    for (int j = 0; j < repeats; j++) {
      const auto start = Clock::now();
      gdq_runner_run(runner, widths[i], tile.data(), picture.data());
      least =
          std::min(least, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
    mark();
    std::printf("%d bits, %s: %.3f ms\n", widths[i], gdq_model_kernel(model, widths[i]), least);
  }
  gdq_runner_free(runner);
  gdq_model_free(model);
  return 0;
}

// run_tile MODEL.gdq ISA HWCAP TILE.rgb HEIGHT WIDTH OUT: runs one tile at every bit-width.
//
// Pictures go to OUT_bitsN.rgb, what the predictor says to standard output. HWCAP, hexadecimal, are
// the processor's features that the engine may see: the one that qemu emulates has half precision,
// and the one that the library for Android is compared on has not.
#include <sys/auxv.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gdq_engine.h"

namespace {

unsigned long features = 0;

std::vector<uint8_t> read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool write(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
  return bool(file.flush());
}

int failed() {
  std::fprintf(stderr, "%s\n", gdq_last_error());
  return 1;
}

// The answer as whole numbers, so that it can be compared exactly: of a gate the bit-width, else
// the three heads.
bool print_prediction(const gdq_model* model, gdq_runner* runner, const uint8_t* tile) {
  if (gdq_model_predictor(model) == GDQ_PREDICTOR_GATE) {
    float logits[3], entropy;
    int32_t bits;
    if (gdq_runner_predict(runner, tile, logits, &entropy, &bits) < 0) return false;
    std::printf("%d\n", bits);
    return true;
  }
  int32_t heads[3];
  if (gdq_runner_sense(runner, tile, heads) < 0) return false;
  std::printf("%d %d %d\n", heads[0], heads[1], heads[2]);
  return true;
}

}  // namespace

// Instead of the C library's, which is linked statically and so not taken.
extern "C" unsigned long getauxval(unsigned long type) { return type == AT_HWCAP ? features : 0; }

int main(int count, char** words) {
  if (count != 8) return 2;
  features = std::strtoul(words[3], nullptr, 16);
  const std::vector<uint8_t> tile = read(words[4]);
  const int height = std::atoi(words[5]), width = std::atoi(words[6]);
  if (tile.size() != size_t(3) * height * width) return 2;
  gdq_model* model = gdq_model_load(words[1], words[2]);
  if (!model) return failed();
  gdq_runner* runner = gdq_runner_create(model, height, width);
  if (!runner || !print_prediction(model, runner, tile.data())) return failed();
  const size_t scale = gdq_model_scale(model);
  std::vector<uint8_t> picture(tile.size() * scale * scale);
  int32_t widths[4];
  const int found = gdq_model_bit_widths(model, widths);
  for (int n = 0; n < found; n++) {
    if (gdq_runner_run(runner, widths[n], tile.data(), picture.data()) < 0) return failed();
    if (!write(words[7] + ("_bits" + std::to_string(widths[n]) + ".rgb"), picture)) return 1;
  }
  gdq_runner_free(runner);
  gdq_model_free(model);
  return 0;
}

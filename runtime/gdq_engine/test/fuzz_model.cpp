// Feeds damaged packed models to the engine: what it accepts must run, what it refuses must have a
// reason. Build with -DGDQ_TESTS=ON -DGDQ_SANITIZE=address,undefined.
//
//   fuzz_model SECONDS SEED MODEL...   damages the given models at random for so long
//   fuzz_model --once MODEL...         runs each as it is: replays a finding, or under valgrind
//
// The last input is left in fuzz_model.last, so that it is there after a crash. GDQ_ISA names an
// instruction set to run on. With libFuzzer (-fsanitize=fuzzer, -DGDQ_LIBFUZZER) there is no
// `main`.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "gdq_engine.h"

namespace {

using Bytes = std::vector<uint8_t>;

// Whether the engine accepted it.
bool try_model(const Bytes& bytes) {
  gdq_model* model = gdq_model_parse(bytes.data(), bytes.size(), std::getenv("GDQ_ISA"));
  if (!model) {
    if (!*gdq_last_error()) std::abort();
    return false;
  }
  constexpr int kHeight = 5, kWidth = 6;
  int32_t widths[4];
  const int count = gdq_model_bit_widths(model, widths), scale = gdq_model_scale(model);
  Bytes tile(kHeight * kWidth * 3), picture(tile.size() * scale * scale);
  for (size_t i = 0; i < tile.size(); i++) tile[i] = static_cast<uint8_t>(i * 37);
  if (gdq_runner* runner = gdq_runner_create(model, kHeight, kWidth)) {
    for (int i = 0; i < count; i++)
      if (gdq_runner_run(runner, widths[i], tile.data(), picture.data()) < 0 && !*gdq_last_error())
        std::abort();
    gdq_runner_free(runner);
  }
  gdq_model_free(model);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  try_model(Bytes(bytes, bytes + size));
  return 0;
}

#ifndef GDQ_LIBFUZZER

namespace {

constexpr size_t kHeaderSize = 64, kValueSize = 48, kLayerSize = 64, kTensorSize = 24;
constexpr size_t kValues = 20, kLayers = 24, kTensors = 28, kFileSize = 32;

// Numbers that lie at the edges of what is allowed, as integers and as floats.
constexpr uint32_t kHostile[] = {
    0,          1,          2,          3,          4,          5,          8,
    9,          15,         16,         17,         32,         48,         64,
    1024,       4096,       0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x3F800000,
    0x00000001, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F7FFFFF, 0x00800000, 0xBF800000};

uint32_t word(const Bytes& bytes, size_t offset) {
  uint32_t number = 0;
  if (offset + 4 <= bytes.size()) std::memcpy(&number, &bytes[offset], 4);
  return number;
}

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  Bytes damage(const Bytes& original, const Bytes& other) {
    Bytes bytes = original;
    const size_t tables = kHeaderSize + kValueSize * word(bytes, kValues) +
                          kLayerSize * word(bytes, kLayers) + kTensorSize * word(bytes, kTensors);
    for (size_t changes = 1 + below(4); changes > 0; changes--) {
      const size_t at = 4 * below((below(8) ? tables : bytes.size()) / 4);
      uint32_t number = kHostile[below(std::size(kHostile))];
      switch (below(6)) {
        case 0:
          number = static_cast<uint32_t>(random_());
          break;
        case 1:
          number = word(bytes, at) + static_cast<uint32_t>(below(5)) - 2;
          break;
        case 2:
          number = word(bytes, 4 * below(tables / 4));
          break;
        case 3:
          number = word(other, at);
          break;
        default:
          break;
      }
      if (at + 4 <= bytes.size()) std::memcpy(&bytes[at], &number, 4);
    }
    if (!below(30)) bytes.resize(below(bytes.size()));
    if (!below(30)) bytes.insert(bytes.end(), other.begin(), other.end());
    const uint64_t size = bytes.size();
    if (below(20) && size >= kFileSize + 8) std::memcpy(&bytes[kFileSize], &size, 8);
    return bytes;
  }
  size_t below(size_t count) { return count ? random_() % count : 0; }

 private:
  std::mt19937_64 random_;
};

Bytes read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", path);
    std::exit(2);
  }
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

int fuzz(double seconds, uint32_t seed, const std::vector<Bytes>& originals) {
  using Clock = std::chrono::steady_clock;
  Mutator mutator(seed);
  const auto start = Clock::now();
  uint64_t count = 0, accepted = 0;
  double slowest = 0;
  while (std::chrono::duration<double>(Clock::now() - start).count() < seconds) {
    const Bytes input = mutator.damage(originals[mutator.below(originals.size())],
                                       originals[mutator.below(originals.size())]);
    std::ofstream("fuzz_model.last", std::ios::binary)
        .write(reinterpret_cast<const char*>(input.data()), input.size());
    const auto before = Clock::now();
    accepted += try_model(input);
    const double taken = std::chrono::duration<double>(Clock::now() - before).count();
    if (taken > slowest) {
      slowest = taken;
      std::ofstream("fuzz_model.slowest", std::ios::binary)
          .write(reinterpret_cast<const char*>(input.data()), input.size());
    }
    count++;
  }
  std::printf("%llu inputs, %llu accepted and run, slowest %.3f s\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(accepted),
              slowest);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool once = argc > 2 && std::string(argv[1]) == "--once";
  if (!once && argc < 4) {
    std::fprintf(stderr, "usage: fuzz_model SECONDS SEED MODEL... | --once MODEL...\n");
    return 2;
  }
  std::vector<Bytes> models;
  for (int i = once ? 2 : 3; i < argc; i++) models.push_back(read(argv[i]));
  if (!once) return fuzz(std::strtod(argv[1], nullptr), std::strtoul(argv[2], nullptr, 10), models);
  for (size_t i = 0; i < models.size(); i++)
    std::printf("%s: %s\n", argv[i + 2], try_model(models[i]) ? "runs" : gdq_last_error());
  return 0;
}

#endif

// The command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gdq::run {

enum class Accelerator { kCpu, kNnapi };

struct PeerModel {
  std::string path;
  std::optional<int> bits;  // none: it has all widths that are asked for
};

// A library beside our own engine.
struct Peer {
  std::string library;
  std::vector<PeerModel> models;
  Accelerator accelerator = Accelerator::kCpu;
};

struct Options {
  std::string model;  // empty: only peers are measured
  std::string isa;    // empty: the best that the processor has
  std::string tiles;
  std::string picture, plan;  // both or neither
  std::vector<Peer> peers;
  std::vector<int> bits;
  std::vector<int> workers;
  std::vector<int> cores;     // empty: all that the process may use
  std::optional<int> rounds;  // at least one of the two
  std::optional<double> seconds;
  bool help = false;
};

constexpr int kFloat = 32;  // the "bit-width" of a network that is not quantized

extern const char* const kUsage;

// Throws Refusal.
Options parse_options(int count, const char* const* arguments);

// Whether networks of this many bits exist: 4, 5, 6, 8.
bool is_bit_width(int bits);

}  // namespace gdq::run

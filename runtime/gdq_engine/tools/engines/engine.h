// What is measured: our engine, or another library, with the networks of some bit-widths.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "golden_tiles.h"
#include "options.h"

namespace gdq::run {

// What one thread runs tiles with.
class Worker {
 public:
  virtual ~Worker() = default;

  // tile: as high and wide as the golden ones, times 3; picture: scale squared times as large.
  // Throws Refusal.
  virtual void run(int bits, const uint8_t* tile, uint8_t* picture) = 0;

  // Spends the time that the choice of a tile's width takes.
  virtual void predict(const uint8_t* /*tile*/) {}
};

// The graph of one width. What a library does not tell is missing.
struct Graph {
  int bits;
  std::optional<std::string> kernel;
  std::optional<int> nodes, accelerated_nodes, partitions;
};

// What the predictor says of the golden tiles; both missing: there is none.
struct Decisions {
  std::optional<std::vector<int>> bit_widths;
  std::optional<std::vector<std::vector<int>>> sensitivities;
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::unique_ptr<Worker> open_worker() = 0;
  virtual Decisions decide(const GoldenTiles& /*golden*/) { return {}; }

  std::string name;
  std::string version;
  std::string format;  // that it reads: engine, onnx or tflite
  std::string accelerator_asked = "cpu", accelerator_used = "cpu";
  std::optional<std::string> isa;
  std::vector<Graph> graphs;  // by width, ascending
  int scale = 0;
  bool has_predictor = false;

  std::vector<int> widths() const {
    std::vector<int> all;
    for (const Graph& graph : graphs) all.push_back(graph.bits);
    return all;
  }
};

// Ours. widths: to run, or empty for all that the model has. Throws Refusal.
std::unique_ptr<Engine> open_own_engine(const Options& options, const GoldenTiles& golden,
                                        const std::vector<int>& widths);

// A library beside it. widths: of models that do not say theirs. Throws Refusal.
std::unique_ptr<Engine> open_peer(const Peer& peer, const GoldenTiles& golden,
                                  const std::vector<int>& widths);

// Whether this program can load libraries: one that is linked statically cannot.
bool can_load_libraries();

}  // namespace gdq::run

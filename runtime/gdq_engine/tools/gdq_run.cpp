// Measures engines on the machine that it is put on, and prints JSON lines: docs/gdq_run.md.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <set>

#include "cores.h"
#include "engines/engine.h"
#include "gdq_engine.h"
#include "golden_tiles.h"
#include "judgement.h"
#include "lines.h"
#include "options.h"
#include "refusal.h"
#include "rounds.h"
#include "sha256.h"
#include "whole_picture.h"

namespace gdq::run {

namespace {

constexpr int kFormat = 1;
constexpr int kDone = 0, kWrong = 1, kRefused = 2;

#if defined(__aarch64__)
constexpr const char* kAbi = "arm64-v8a";
#elif defined(__x86_64__)
constexpr const char* kAbi = "x86_64";
#else
#error "the abi of this processor needs a name in docs/gdq_run.md"
#endif

using Engines = std::vector<std::unique_ptr<Engine>>;

// Those of the mask, or all; refused if the machine lacks one, or has too few of them.
std::vector<int> choose_cores(const Options& options) {
  for (const int core : options.cores)
    if (!core_exists(core))
      throw Refusal("this machine has no core " + std::to_string(core) +
                    ": give --affinity a mask of those that it has");
  const std::vector<int> cores = options.cores.empty() ? usable_cores() : options.cores;
  const int most = *std::max_element(options.workers.begin(), options.workers.end());
  if (static_cast<size_t>(most) > cores.size())
    throw Refusal(std::to_string(most) + " workers need a core each, and --affinity has " +
                  std::to_string(cores.size()));
  return cores;
}

// Holds this thread to each core that will be used, at last to the first; why one cannot be.
std::optional<std::string> hold(const std::vector<int>& cores, const Options& options) {
  std::optional<std::string> error;
  for (int worker = *std::max_element(options.workers.begin(), options.workers.end()) - 1;
       worker >= 0; worker--)
    if (auto reason = hold_to({cores[static_cast<size_t>(worker)]})) error = reason;
  return error;
}

std::string system_name() {
  utsname name{};
  uname(&name);
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

void print_facts(const std::vector<int>& cores, const std::optional<std::string>& held_error,
                 Lines& lines) {
  Object instruction_sets;
  for (int32_t i = 0; i < gdq_isa_count(); i++)
    instruction_sets.add(gdq_isa_name(i), gdq_isa_available(i) != 0);
  lines.print(Object()
                  .add("line", "facts")
                  .add("format", kFormat)
                  .add("abi", kAbi)
                  .add("system", system_name())
                  .add("can_load", can_load_libraries())
                  .add("features", features())
                  .add("instruction_sets", instruction_sets)
                  .add("cores", cores)
                  .add("held", !held_error)
                  .add("held_error", held_error)
                  .add("frequency_error", frequency_error(cores[0])));
}

void print_engine(const Engine& engine, Lines& lines) {
  std::vector<Object> graphs;
  graphs.reserve(engine.graphs.size());
  for (const Graph& graph : engine.graphs)
    graphs.push_back(Object()
                         .add("bits", graph.bits)
                         .add("kernel", graph.kernel)
                         .add("nodes", graph.nodes)
                         .add("accelerated_nodes", graph.accelerated_nodes)
                         .add("partitions", graph.partitions));
  lines.print(Object()
                  .add("line", "engine")
                  .add("engine", engine.name)
                  .add("version", engine.version)
                  .add("reads", engine.format)
                  .add("accelerator_asked", engine.accelerator_asked)
                  .add("accelerator_used", engine.accelerator_used)
                  .add("isa", engine.isa)
                  .add("graphs", graphs));
}

// Widths to open: those of --bits, and of the plan. Empty: all that there are.
std::vector<int> choose_widths(const Options& options, const WholePicture* picture) {
  std::set<int> widths(options.bits.begin(), options.bits.end());
  if (picture)
    for (const int bits : picture->plan().widths()) widths.insert(bits);
  return {widths.begin(), widths.end()};
}

Engines open_engines(const Options& options, const GoldenTiles& golden,
                     const std::vector<int>& widths, Lines& lines) {
  Engines engines;
  if (!options.model.empty()) engines.push_back(open_own_engine(options, golden, widths));
  for (const Peer& peer : options.peers) {
    engines.push_back(open_peer(peer, golden, widths));
    for (size_t i = 0; i + 1 < engines.size(); i++)
      if (engines[i]->name == engines.back()->name)
        throw Refusal(engines.back()->name + " is named twice", engines.back()->name);
  }
  for (const auto& engine : engines) print_engine(*engine, lines);
  return engines;
}

// One golden tile at each width; `made` is overwritten by all.
void add_tile_ways(Engine& engine, const Picture& tile, std::vector<Way>& ways) {
  const std::shared_ptr<Worker> worker = engine.open_worker();
  const auto made =
      std::make_shared<std::vector<uint8_t>>(tile.pixels.size() * engine.scale * engine.scale);
  for (const int bits : engine.widths())
    ways.push_back({engine.name, bits, 1, [worker, made, bits, &tile] {
                      const int before = current_core();
                      worker->run(bits, tile.pixels.data(), made->data());
                      return Visit{{before}, {current_core()}};
                    }});
}

// A picture as planned, and with all tiles at each width of --bits; each once to print its hash.
void add_picture_ways(Engine& engine, const WholePicture& picture, const Options& options,
                      const std::vector<int>& cores, std::vector<Way>& ways, Lines& lines) {
  using Crew = std::vector<std::unique_ptr<Worker>>;
  const int scale = engine.scale;
  const auto result = std::make_shared<std::vector<uint8_t>>(picture.result_size(scale));
  std::vector<std::optional<int>> widths = {std::nullopt};
  widths.insert(widths.end(), options.bits.begin(), options.bits.end());
  for (const int workers : options.workers) {
    const auto crew = std::make_shared<Crew>();
    for (int i = 0; i < workers; i++) crew->push_back(engine.open_worker());
    for (const std::optional<int>& bits : widths)
      ways.push_back({engine.name, bits, workers, [crew, result, bits, scale, &picture, &cores] {
                        return picture.upscale(*crew, cores, bits, scale, *result);
                      }});
  }
  for (size_t i = ways.size() - widths.size(); i < ways.size(); i++) {
    ways[i].run();
    Sha256 hash;
    hash.add(result->data(), result->size());
    lines.print(Object()
                    .add("line", "picture")
                    .add("engine", engine.name)
                    .add("bits", ways[i].bits)
                    .add("tiles", static_cast<int64_t>(picture.plan().tiles.size()))
                    .add("predicted", !ways[i].bits && engine.has_predictor)
                    .add("sha256", hash.digest()));
  }
}

int measure(const Options& options, int64_t began, Lines& lines) {
  const std::vector<int> cores = choose_cores(options);
  print_facts(cores, hold(cores, options), lines);
  const GoldenTiles golden(options.tiles);
  const auto picture =
      options.plan.empty() ? nullptr : std::make_unique<WholePicture>(options, golden);
  const Engines engines =
      open_engines(options, golden, choose_widths(options, picture.get()), lines);
  int status = kDone;
  std::vector<Way> ways;
  for (const auto& engine : engines) {
    if (!judge(*engine, golden, lines))
      status = kWrong;
    else if (picture)
      add_picture_ways(*engine, *picture, options, cores, ways, lines);
    else
      add_tile_ways(*engine, golden.tiles()[0], ways);
  }
  run_rounds(ways, options, began, lines);
  return status;
}

int refuse(const std::string& engine, const std::string& sentence, Lines& lines) {
  std::fprintf(stderr, "gdq_run: %s\n", sentence.c_str());
  lines.print(Object()
                  .add("line", "error")
                  .add("engine", engine.empty() ? std::nullopt : std::optional<std::string>(engine))
                  .add("message", sentence));
  return kRefused;
}

int run(int count, const char* const* arguments) {
  const int64_t began = now();
  Lines lines(STDOUT_FILENO);
  int status = kDone;
  try {
    try {
      const Options options = parse_options(count, arguments);
      if (options.help) return std::fputs(kUsage, stdout) < 0 ? kRefused : kDone;
      status = measure(options, began, lines);
    } catch (const UnwritableError&) {
      throw;
    } catch (const Refusal& refusal) {
      status = refuse(refusal.engine, refusal.what(), lines);
    } catch (const std::bad_alloc&) {
      status = refuse("", "there is not enough memory", lines);
    } catch (const std::exception& error) {
      status = refuse("", error.what(), lines);
    }
    const int64_t before = lines.count();
    lines.print(Object().add("line", "end").add("lines", before).add("status", status));
  } catch (const UnwritableError& error) {
    std::fprintf(stderr, "gdq_run: %s\n", error.what());
    return kRefused;
  }
  return status;
}

}  // namespace

}  // namespace gdq::run

int main(int count, char** arguments) { return gdq::run::run(count, arguments); }

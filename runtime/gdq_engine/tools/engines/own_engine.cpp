// Our engine, through its C interface.
#include <algorithm>
#include <array>

#include "engines/engine.h"
#include "gdq_engine.h"
#include "refusal.h"

namespace gdq::run {

namespace {

constexpr const char* kName = "gdq";

Refusal last_refusal(const std::string& place) {
  return Refusal(place + ": " + gdq_last_error(), kName);
}

using Model = std::unique_ptr<gdq_model, void (*)(gdq_model*)>;
using Runner = std::unique_ptr<gdq_runner, void (*)(gdq_runner*)>;

class OwnWorker : public Worker {
 public:
  OwnWorker(gdq_model* model, int height, int width)
      : kind_(gdq_model_predictor(model)),
        runner_(gdq_runner_create(model, height, width), gdq_runner_free) {
    if (!runner_) throw last_refusal("a tile cannot be prepared");
  }

  void run(int bits, const uint8_t* tile, uint8_t* picture) override {
    if (gdq_runner_run(runner_.get(), bits, tile, picture) < 0)
      throw last_refusal("a tile cannot be run");
  }

  void predict(const uint8_t* tile) override {
    if (kind_ == GDQ_PREDICTOR_GATE) bit_width(tile);
    if (kind_ == GDQ_PREDICTOR_STATISTICS) sensitivity(tile);
  }

  int bit_width(const uint8_t* tile) {
    float logits[3], entropy = 0;
    int32_t bits = 0;
    if (gdq_runner_predict(runner_.get(), tile, logits, &entropy, &bits) < 0)
      throw last_refusal("a tile's width cannot be predicted");
    return bits;
  }

  std::vector<int> sensitivity(const uint8_t* tile) {
    int32_t heads[3];
    if (gdq_runner_sense(runner_.get(), tile, heads) < 0)
      throw last_refusal("a tile's sensitivity cannot be predicted");
    return {heads[0], heads[1], heads[2]};
  }

 private:
  int kind_;
  Runner runner_;
};

class OwnEngine : public Engine {
 public:
  OwnEngine(const Options& options, const GoldenTiles& golden, const std::vector<int>& asked)
      : model_(gdq_model_load(options.model.c_str(),
                              options.isa.empty() ? nullptr : options.isa.c_str()),
               gdq_model_free),
        tile_(golden.tiles()[0]) {
    if (!model_) throw last_refusal(options.model);
    name = kName;
    version = std::to_string(gdq_abi_version());
    format = "engine";
    isa = gdq_model_isa(model_.get());
    scale = gdq_model_scale(model_.get());
    has_predictor = gdq_model_predictor(model_.get()) != GDQ_PREDICTOR_NONE;
    std::array<int32_t, 4> held{};  // as many as the interface promises at most
    const int count = gdq_model_bit_widths(model_.get(), held.data());
    const std::vector<int> widths(held.begin(), held.begin() + std::clamp(count, 0, 4));
    for (const int bits : asked)
      if (std::find(widths.begin(), widths.end(), bits) == widths.end())
        throw Refusal(options.model + " has no network of " + std::to_string(bits) + " bits",
                      kName);
    for (const int bits : widths)
      if (asked.empty() || std::find(asked.begin(), asked.end(), bits) != asked.end())
        graphs.push_back({bits, gdq_model_kernel(model_.get(), bits), {}, {}, {}});
  }

  std::unique_ptr<Worker> open_worker() override { return open(); }

  Decisions decide(const GoldenTiles& golden) override {
    Decisions decisions;
    const auto worker = open();
    if (gdq_model_predictor(model_.get()) == GDQ_PREDICTOR_GATE) {
      decisions.bit_widths.emplace();
      for (const Picture& tile : golden.tiles())
        decisions.bit_widths->push_back(worker->bit_width(tile.pixels.data()));
    } else if (has_predictor) {
      decisions.sensitivities.emplace();
      for (const Picture& tile : golden.tiles())
        decisions.sensitivities->push_back(worker->sensitivity(tile.pixels.data()));
    }
    return decisions;
  }

 private:
  std::unique_ptr<OwnWorker> open() {
    return std::make_unique<OwnWorker>(model_.get(), tile_.height, tile_.width);
  }

  Model model_;
  const Picture& tile_;
};

}  // namespace

std::unique_ptr<Engine> open_own_engine(const Options& options, const GoldenTiles& golden,
                                        const std::vector<int>& widths) {
  return std::make_unique<OwnEngine>(options, golden, widths);
}

}  // namespace gdq::run

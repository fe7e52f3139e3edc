// The C interface over the classes: no exception leaves it.
#include "c_api.h"

#include <algorithm>
#include <vector>

#include "isa/instruction_sets.h"
#include "model/model.h"
#include "plan/algorithms.h"

using gdq::guarded;
using gdq::kFailed;

namespace gdq {

std::string& last_error() {
  thread_local std::string sentence;
  return sentence;
}

}  // namespace gdq

extern "C" {

int32_t gdq_abi_version(void) { return GDQ_ABI_VERSION; }

const char* gdq_last_error(void) { return gdq::last_error().c_str(); }

int32_t gdq_isa_count(void) { return static_cast<int32_t>(gdq::instruction_sets().size()); }

const char* gdq_isa_name(int32_t index) {
  if (index < 0 || index >= gdq_isa_count()) return nullptr;
  return gdq::instruction_sets()[index].name;
}

int32_t gdq_isa_available(int32_t index) {
  if (index < 0 || index >= gdq_isa_count()) return 0;
  return gdq::instruction_sets()[index].available;
}

gdq_model* gdq_model_load(const char* path, const char* isa) {
  return guarded<gdq_model*>(nullptr, [&] {
    return new gdq_model{{gdq::load_model(path), gdq::choose_instruction_set(isa)}};
  });
}

gdq_model* gdq_model_parse(const void* bytes, size_t size, const char* isa) {
  return guarded<gdq_model*>(nullptr, [&] {
    return new gdq_model{{gdq::parse_model(bytes, size), gdq::choose_instruction_set(isa)}};
  });
}

void gdq_model_free(gdq_model* model) { delete model; }

int32_t gdq_model_scale(const gdq_model* model) { return model->network.model().scale; }

int32_t gdq_model_bit_widths(const gdq_model* model, int32_t bit_widths[4]) {
  const std::vector<int>& widths = model->network.model().bit_widths;
  std::copy(widths.begin(), widths.end(), bit_widths);
  return static_cast<int32_t>(widths.size());
}

const char* gdq_model_isa(const gdq_model* model) { return model->network.isa().name; }

const char* gdq_model_kernel(const gdq_model* model, int32_t bit_width) {
  return guarded<const char*>(
      nullptr, [&] { return gdq::kernel_shape(model->network.kernel(bit_width)).name; });
}

const char* gdq_model_report(gdq_model* model, int32_t bit_width) {
  return guarded<const char*>(nullptr, [&] { return model->network.report(bit_width).c_str(); });
}

int32_t gdq_model_predictor(const gdq_model* model) {
  if (model->network.model().sensitivity) return GDQ_PREDICTOR_STATISTICS;
  return model->network.predictor() ? GDQ_PREDICTOR_GATE : GDQ_PREDICTOR_NONE;
}

gdq_runner* gdq_runner_create(gdq_model* model, int32_t height, int32_t width) {
  return guarded<gdq_runner*>(nullptr,
                              [&] { return new gdq_runner{{model->network, height, width}}; });
}

int32_t gdq_runner_run(gdq_runner* runner, int32_t bit_width, const uint8_t* tile,
                       uint8_t* picture) {
  return guarded<int32_t>(kFailed, [&] {
    runner->runner.run(bit_width, tile, picture);
    return 0;
  });
}

int32_t gdq_runner_predict(gdq_runner* runner, const uint8_t* tile, float logits[3], float* entropy,
                           int32_t* bit_width) {
  return guarded<int32_t>(kFailed, [&] {
    const gdq::Prediction prediction = runner->runner.predict(tile);
    std::copy(prediction.logits.begin(), prediction.logits.end(), logits);
    *entropy = prediction.entropy;
    *bit_width = prediction.bit_width;
    return 0;
  });
}

int32_t gdq_runner_sense(gdq_runner* runner, const uint8_t* tile, int32_t heads[3]) {
  return guarded<int32_t>(kFailed, [&] {
    const gdq::Heads found = runner->runner.sense(tile);
    std::copy(found.begin(), found.end(), heads);
    return 0;
  });
}

int32_t gdq_tile_statistics(const uint8_t* tile, int32_t height, int32_t width, int32_t side,
                            int32_t statistics[9]) {
  return guarded<int32_t>(kFailed, [&] {
    const gdq::KernelTable& kernels = *gdq::choose_instruction_set(nullptr).kernels;
    const gdq::Statistics found = gdq::tile_statistics(tile, height, width, side, kernels);
    std::copy(found.begin(), found.end(), statistics);
    return 0;
  });
}

void gdq_runner_free(gdq_runner* runner) { delete runner; }

}  // extern "C"

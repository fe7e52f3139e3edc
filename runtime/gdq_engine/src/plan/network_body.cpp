// How a network's integer layers come to end in integers: which can, and in which units they write.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "plan/network.h"

namespace gdq {
namespace {

// Streams that are added to one another, and so need one step.
class StepGroups {
 public:
  explicit StepGroups(std::vector<float>& steps) : steps_(steps), parent_(steps.size()) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }
  void join(int a, int b) {
    const int one = root(a), other = root(b);
    steps_[one] = std::max(steps_[one], steps_[other]);
    parent_[other] = one;
  }
  void raise(int value, double least) {
    float& step = steps_[root(value)];
    if (step < least) step = std::nextafter(static_cast<float>(least), HUGE_VALF);
  }
  void apply() {
    for (size_t i = 0; i < steps_.size(); i++) steps_[i] = steps_[root(static_cast<int>(i))];
  }

 private:
  int root(int value) const {
    while (parent_[value] != value) value = parent_[value];
    return value;
  }

  std::vector<float>& steps_;
  std::vector<int> parent_;
};

}  // namespace

// Why a layer does not fit kernels/body.h, whatever its weights; empty if it does.
std::string Network::body_obstacle(const Layer& layer, IntegerKernel kernel) const {
  const BodyShape& shape = isa_.kernels->body;
  const auto codes = layer.codes == kNone ? nullptr : &model_.values[layer.codes];
  if (!isa_.kernels->body_layers[kernel]) return "no such kernel for it";
  if (layer.out_channels % shape.group != 0) return "channels are no multiple of a group";
  if (layer.block != 1) return "depth-to-space behind it";
  if (needs_activation(layer)) return "an activation behind it";
  if (layer.stream == kNone)
    return layer.residual == kNone ? "" : "a residual that is added to codes";
  if (layer.residual == kNone) return "no residual";
  if (layer.residual_factor != 1.0f) return "a residual with a factor";
  return codes && !codes->is_signed ? "unsigned codes of a stream" : "";
}

void Network::pose_body(const Layer& layer, int layer_index, int width_index,
                        PreparedLayer& prepared) {
  const Value& source = model_.values[layer.source];
  const IntegerKernel kernel = kernel_for(source.bits[width_index]);
  prepared.note = body_obstacle(layer, kernel);
  if (!prepared.note.empty()) return;
  BodyProblem problem{};
  problem.kernel = kernel;
  problem.bits = source.bits[width_index];
  problem.weights = &pack_body_once(layer, layer_index, kernel);
  const IntegerWeights& integer = problem.weights->integer;
  const int out = layer.out_channels;
  const float* bias = model_.tensors[layer.bias].floats() + size_t(width_index) * out;
  const double centre = source.is_signed ? 0 : 1 << (problem.bits - 1);
  const Value* codes = layer.stream == kNone ? &model_.values[layer.codes] : nullptr;
  // Unsigned codes are stored less their centre.
  const double zero = codes && !codes->is_signed
                          ? codes->steps[width_index] * (1 << (codes->bits[width_index] - 1))
                          : 0;
  for (int oc = 0; oc < out; oc++) {
    const double sum = double(source.steps[width_index]) * integer.scales[oc];
    problem.scales.push_back(sum * output_factor(kernel));
    problem.biases.push_back(bias[oc] + sum * centre * integer.ones[oc] - zero);
  }
  const std::optional<int> narrowing = find_narrowing(problem);
  if (!narrowing) {
    prepared.note = "sums that do not fit 16 bits";
    return;
  }
  problem.narrowing = *narrowing;
  prepared.problem = std::move(problem);
}

const BodyWeights& Network::pack_body_once(const Layer& layer, int layer_index,
                                           IntegerKernel kernel) {
  const auto key = std::make_pair(layer_index, static_cast<int>(kernel));
  const auto found = bodies_.find(key);
  if (found != bodies_.end()) return found->second;
  return bodies_
      .emplace(key, pack_body(kernel, isa_.kernels->body, layer.out_channels, layer.in_channels,
                              quantize_layer(model_, layer, kernel)))
      .first->second;
}

void Network::unify_steps(PreparedNetwork& network) const {
  StepGroups groups(network.stream_steps);
  for (size_t i = 0; i < model_.layers.size(); i++) {
    const Layer& layer = model_.layers[i];
    const auto& problem = network.layers[i].problem;
    if (!problem || layer.stream == kNone) continue;
    groups.join(layer.stream, layer.residual);
    groups.raise(layer.stream, least_stream_step(*problem, isa_.kernels->body));
  }
  groups.apply();
}

bool Network::solve_body(const Layer& layer, int width_index,
                         const std::vector<float>& stream_steps, PreparedLayer& prepared) {
  if (!prepared.problem) return false;
  const BodyProblem& problem = *prepared.problem;
  BodyLayer& body = prepared.body;
  const bool is_codes = layer.stream == kNone;
  double unit = is_codes ? 0 : stream_steps[layer.stream];
  if (layer.codes != kNone) {
    const Value& codes = model_.values[layer.codes];
    const int half = 1 << (codes.bits[width_index] - 1);
    body.codes_low = static_cast<int8_t>(-half);
    body.codes_high = static_cast<int8_t>(half - 1);
    const double step = codes.steps[width_index];
    const std::optional<int16_t> factor =
        is_codes ? 0
                 : fixed_point(std::ldexp(unit / step,
                                          narrows(problem.kernel) ? kCodeShift : kRealCodeShift));
    if (!factor) {
      prepared.note = "steps of stream and codes that are too far apart";
      return false;
    }
    body.codes_factor = *factor;
    if (is_codes) unit = step;
  }
  auto numbers = number_body(problem, isa_.kernels->body, unit, is_codes);
  if (!numbers) {
    prepared.note = "codes that are too fine";
    return false;
  }
  prepared.numbers = std::move(*numbers);
  body.in_channels = layer.in_channels;
  body.out_channels = layer.out_channels;
  body.weights = problem.weights->packed.as<int8_t>();
  body.start = prepared.numbers.start.data();
  body.factors = prepared.numbers.factors.data();
  body.scales = prepared.numbers.scales.data();
  body.addends = prepared.numbers.addends.data();
  body.narrowing = problem.narrowing;
  prepared.run_body = isa_.kernels->body_layers[problem.kernel];
  prepared.note = narrows(problem.kernel)
                      ? "sums of 16 bits, " + std::to_string(problem.narrowing) + " dropped"
                      : "a fused end";
  prepared.scratch_bytes = [kernel = problem.kernel, shape = isa_.kernels->body,
                            channels = layer.in_channels](int) {
    return body_scratch(kernel, shape, channels);
  };
  return true;
}

}  // namespace gdq

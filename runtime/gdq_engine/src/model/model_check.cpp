#include "model/model_check.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "error.h"

namespace gdq {

void require(bool good, const std::string& what) {
  if (!good) throw Error("the packed model is damaged: " + what);
}

namespace {

// Of all layers, which may share tensors; each layer packs its own.
constexpr size_t kMostWeights = size_t{1} << 27;

// The rules between layers, values and tensors, layer by layer in the order of running.
class Checker {
 public:
  explicit Checker(const Model& model) : model_(model), made_(model.values.size(), false) {}

  void check() {
    const Value &first = model_.values.front(), &last = model_.values.back();
    require(first.kind == ValueKind::kPicture && first.scale == 1, "its first value is not a tile");
    require(last.kind == ValueKind::kPicture && last.scale == model_.scale,
            "its last value is not an upscaled tile");
    made_[0] = true;
    size_t weights = 0;
    for (const Layer& layer : model_.layers) {
      check_layer(layer);
      weights += model_.tensors[layer.weights].count;
    }
    require(weights <= kMostWeights, "it has too many weights");
    for (bool made : made_) require(made, "a value is never written");
    if (model_.predictor) check_predictor(*model_.predictor);
    if (model_.sensitivity) check_sensitivity(*model_.sensitivity);
  }

 private:
  void check_layer(const Layer& layer) {
    require(layer.source != kNone && made_[layer.source],
            "a layer reads a value before it is written");
    const Value& source = model_.values[layer.source];
    require(&source != &model_.values.back(), "a layer reads the upscaled tile");
    require(layer.in_channels == source.channels,
            "a layer and its source differ in their channels");
    require(layer.kernel % 2 == 1, "a kernel has an even side");
    require(layer.block >= 1, "a depth-to-space block has no size");
    check_tensors(layer);
    require(layer.stream != kNone || layer.codes != kNone, "a layer writes nothing");
    if (layer.stream != kNone) check_written(layer, layer.stream, ValueKind::kStream);
    if (layer.codes != kNone) check_written(layer, layer.codes, ValueKind::kCodes);
    check_residual(layer);
  }

  void check_written(const Layer& layer, int index, ValueKind kind) {
    const Value& value = model_.values[index];
    const bool picture = &value == &model_.values.back() && kind == ValueKind::kStream;
    require(!made_[index], "a value is written twice");
    require(value.kind == (picture ? ValueKind::kPicture : kind),
            "a layer writes a value of another kind");
    require(value.channels * layer.block * layer.block == layer.out_channels,
            "a layer and what it writes differ in their channels");
    require(value.scale == model_.values[layer.source].scale * layer.block,
            "a layer and what it writes differ in their scales");
    if (picture)
      require(!model_.is_integer(layer) && layer.codes == kNone && layer.residual == kNone &&
                  layer.slopes == kNone && layer.gains == kNone,
              "the last layer does more than write the picture");
    made_[index] = true;
  }

  void check_residual(const Layer& layer) {
    if (layer.residual == kNone) return;
    const Value& residual = model_.values[layer.residual];
    const Value& written = model_.values[layer.stream != kNone ? layer.stream : layer.codes];
    require(residual.kind == ValueKind::kStream && made_[layer.residual] &&
                layer.residual != layer.stream,
            "a residual is not a stream written before");
    require(residual.channels == written.channels && residual.scale == written.scale,
            "a residual has another shape");
  }

  void check_tensors(const Layer& layer) const {
    const bool integer = model_.is_integer(layer);
    const size_t out = layer.out_channels;
    const size_t weights = size_t(layer.kernel) * layer.kernel * layer.in_channels * out;
    if (integer) {
      require(layer.kernel == 3 && layer.places == 1, "an integer layer is not 3x3");
      expect(layer.weights, false, weights, "weights");
      const size_t steps = layer.weight_steps == kNone ? 0 : tensor(layer.weight_steps).count;
      require(steps == 1 || steps == out, "a layer has the wrong number of weight steps");
      expect(layer.weight_steps, true, steps, "weight steps");
      for (size_t i = 0; i < steps; i++)
        require(tensor(layer.weight_steps).floats()[i] > 0, "a weight step is not positive");
      expect(layer.bias, true, model_.bit_widths.size() * out, "biases");
    } else {
      require(layer.places == 1 || (layer.places == 9 && layer.kernel > 1),
              "a layer has an impossible number of places");
      expect(layer.weights, true, layer.places * weights, "weights");
      expect(layer.bias, true, layer.places * out, "biases");
    }
    if (layer.slopes != kNone) expect(layer.slopes, true, out, "slopes");
    require((layer.gains == kNone) == (layer.shifts == kNone),
            "a layer has gains without shifts, or shifts without gains");
    if (layer.gains != kNone) expect(layer.gains, true, out, "gains");
    if (layer.shifts != kNone) expect(layer.shifts, true, out, "shifts");
  }

  static void check_sensitivity(const SensitivityRecord& record) {
    require(record.side >= 16 && record.side % 4 == 0, "the sensitivity's side is out of range");
    require(std::is_sorted(record.steps.begin(), record.steps.end()),
            "the sensitivity's steps descend");
    // No statistic is larger: logarithms up to 131, three sums of logarithms up to 55.
    const double blocks = double(record.side / 4) * (record.side / 4);
    for (int head = 0; head < kSensitivityHeads; head++) {
      double sum = std::abs(double(record.biases[head]));
      for (int i = 0; i < 9; i++) {
        const double largest = i == 1 || i == 4 || i == 5 ? 55 * blocks : 131;
        sum += largest * std::abs(double(record.weights[head * 9 + i]));
      }
      require(sum < 2147483648.0, "the sensitivity's weights overflow 32 bits");
    }
  }

  void check_predictor(const PredictorRecord& record) const {
    const size_t channels = record.channels;
    require(record.kernel % 2 == 1, "the predictor's kernel has an even side");
    require(channels >= 1, "the predictor has no channels");
    for (const auto& widths : {record.gate_bit_widths, record.entropy_bit_widths})
      for (const int width : widths)
        require(std::count(model_.bit_widths.begin(), model_.bit_widths.end(), width) == 1,
                "the predictor names a bit-width that the model does not have");
    require(std::is_sorted(record.gate_bit_widths.begin(), record.gate_bit_widths.end()),
            "the gate's bit-widths do not ascend");
    require(record.thresholds[0] <= record.thresholds[1], "the thresholds do not ascend");
    const char* owner = "the predictor";
    const size_t patch = size_t(record.kernel) * record.kernel * 3;
    expect(record.head_weights, true, channels * patch, "weights", owner);
    expect(record.head_bias, true, channels, "biases", owner);
    expect(record.gate_weights, true, 9 * channels, "weights of the gate", owner);
    expect(record.gate_bias, true, 3, "biases of the gate", owner);
    if (!record.is_normalized) {
      require(record.groups == 0 && record.norm_weights == kNone && record.norm_biases == kNone,
              "a linear gate has a norm");
      return;
    }
    require(record.groups >= 1 && record.channels % record.groups == 0,
            "the groups do not divide the predictor's channels");
    require(record.epsilon > 0, "the predictor's epsilon is not positive");
    expect(record.norm_weights, true, 3 * channels, "weights of the norm", owner);
    expect(record.norm_biases, true, 3 * channels, "biases of the norm", owner);
  }

  const Tensor& tensor(int index) const { return model_.tensors[index]; }

  void expect(int index, bool is_float, size_t count, const char* what,
              const char* owner = "a layer") const {
    require(index != kNone && tensor(index).is_float == is_float && tensor(index).count == count,
            std::string(owner) + " lacks the " + what + " that it needs");
  }

  const Model& model_;
  std::vector<bool> made_;
};

}  // namespace

void check_model(const Model& model) { Checker(model).check(); }

}  // namespace gdq

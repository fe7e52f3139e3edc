#include "plan/runner.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "error.h"

namespace gdq {
namespace {

constexpr int kLeast = 2, kMost = 4096;
// Of all maps together. Linux promises more memory than there is, and then kills the process that
// uses it.
constexpr size_t kMostBytes = size_t{2} << 30;
// Algorithms compute whole tiles of 2, 4 or 6 outputs a side, and read what those need.
constexpr int kTileSides = 12;

int rounded(int size) { return (size + kTileSides - 1) / kTileSides * kTileSides; }

}  // namespace

Runner::Runner(Network& network, int height, int width)
    : network_(network), height_(height), width_(width) {
  if (height < kLeast || width < kLeast || height > kMost || width > kMost)
    throw Error("a tile of " + std::to_string(width) + "x" + std::to_string(height) +
                " pixels cannot be run: sides may be " + std::to_string(kLeast) + " to " +
                std::to_string(kMost) + " pixels long");
  plan();
}

// Pixels around a value that convolutions read.
int Runner::border(size_t value) const {
  int half = 0;
  for (const Layer& layer : network_.model().layers)
    if (static_cast<size_t>(layer.source) == value) half = std::max(half, layer.kernel / 2);
  return half;
}

int Runner::take_map(const Value& value, int border) {
  const int rows = rounded(height_ * value.scale) + 2 * border;
  const int columns = rounded(width_ * value.scale) + 2 * border;
  Map map{};
  map.is_codes = value.kind == ValueKind::kCodes;
  map.pitch = ptrdiff_t{columns} * value.channels;
  map.origin = border * map.pitch + ptrdiff_t{border} * value.channels;
  const size_t size = size_t(rows) * map.pitch * (map.is_codes ? 1 : sizeof(int16_t));
  if (size > kMostBytes - planned_)
    throw Error("tiles of " + std::to_string(width_) + "x" + std::to_string(height_) +
                " pixels need more than " + std::to_string(kMostBytes >> 20) +
                " MiB with this model: choose smaller tiles");
  planned_ += size;
  map.memory = AlignedBytes(size);
  maps_.push_back(std::move(map));
  return static_cast<int>(maps_.size()) - 1;
}

// Gives every value a map, and maps whose value was read for the last time to values after it. A
// layer's output may take the map of its residual: each element is read just before it is written,
// except where the outermost pixels are computed a second time.
void Runner::plan() {
  const Model& model = network_.model();
  const size_t count = model.values.size();
  std::vector<size_t> last_read(count, 0);
  for (size_t i = 0; i < model.layers.size(); i++)
    for (const int read : {model.layers[i].source, model.layers[i].residual})
      if (read != kNone) last_read[read] = i;
  // Maps are alike if they have the same form and their border means the same at each bit-width.
  using Form = std::tuple<ValueKind, int, int, int, bool, std::array<int, kMostBitWidths>>;
  const auto form = [&](size_t value) {
    const Value& v = model.values[value];
    return Form(v.kind, v.channels, v.scale, border(value), v.is_signed, v.bits);
  };
  std::multimap<Form, int> free;
  map_of_.assign(count, kNone);
  const auto release = [&](int value, size_t layer) {
    if (value != kNone && map_of_[value] != kNone && last_read[value] == layer)
      free.emplace(form(value), map_of_[value]);
  };
  const auto give = [&](int value) {
    if (value == kNone || model.values[value].kind == ValueKind::kPicture) return;
    const auto found = free.find(form(value));
    map_of_[value] =
        found != free.end() ? found->second : take_map(model.values[value], border(value));
    if (found != free.end()) free.erase(found);
  };
  for (size_t i = 0; i < model.layers.size(); i++) {
    const Layer& layer = model.layers[i];
    const bool in_place = layer.residual != layer.source && layer.places == 1;
    if (in_place) release(layer.residual, i);
    give(layer.stream);
    give(layer.codes);
    release(layer.source, i);
    if (!in_place && layer.residual != layer.source) release(layer.residual, i);
    // What nobody reads is free at once.
    for (const int written : {layer.stream, layer.codes})
      if (written != kNone && last_read[written] == 0) release(written, 0);
  }
}

void Runner::set_borders(int width_index) {
  const Model& model = network_.model();
  for (size_t i = 0; i < model.values.size(); i++) {
    const Value& value = model.values[i];
    if (value.kind != ValueKind::kCodes) continue;
    Map& map = maps_[map_of_[i]];
    const int outside = value.is_signed ? 0 : -(1 << (value.bits[width_index] - 1));
    if (map.outside == outside) continue;
    std::memset(map.memory.as<int8_t>(), outside, map.memory.size());
    map.outside = outside;
  }
}

int16_t* Runner::stream(int value) {
  Map& map = maps_[map_of_[value]];
  return map.memory.as<int16_t>() + map.origin;
}

int8_t* Runner::codes(int value) {
  Map& map = maps_[map_of_[value]];
  return map.memory.as<int8_t>() + map.origin;
}

void Runner::run(int bit_width, const uint8_t* tile, uint8_t* picture) {
  const PreparedNetwork& prepared = network_.at(bit_width);
  const Model& model = network_.model();
  size_t scratch = 0;
  for (size_t i = 0; i < model.layers.size(); i++) {
    const int width = width_ * model.values[model.layers[i].source].scale;
    scratch = std::max(scratch, prepared.layers[i].scratch_bytes(width));
  }
  if (scratch > scratch_.size()) scratch_ = AlignedBytes(scratch);
  set_borders(prepared.width_index);
  for (size_t i = 0; i < model.layers.size(); i++)
    if (prepared.layers[i].run_body)
      run_body(model.layers[i], prepared.layers[i]);
    else
      run_layer(model.layers[i], prepared.layers[i], tile, picture);
}

Prediction Runner::predict(const uint8_t* tile) {
  const Predictor* predictor = network_.predictor();
  if (!predictor) throw Error("the packed model has no predictor");
  const size_t scratch = predictor->scratch_bytes(height_, width_);
  if (scratch > scratch_.size()) scratch_ = AlignedBytes(scratch);
  return predictor->predict(tile, height_, width_, scratch_.as<char>());
}

void Runner::run_body(const Layer& layer, const PreparedLayer& prepared) {
  const Value& source = network_.model().values[layer.source];
  BodyLayer body = prepared.body;
  body.source = codes(layer.source);
  body.pitch = pitch(layer.source);
  body.height = height_ * source.scale;
  body.width = width_ * source.scale;
  body.scratch = scratch_.as<char>();
  if (layer.stream != kNone) {
    body.residual = stream(layer.residual);
    body.residual_pitch = pitch(layer.residual);
    body.stream = stream(layer.stream);
    body.stream_pitch = pitch(layer.stream);
  }
  if (layer.codes != kNone) {
    body.codes = codes(layer.codes);
    body.codes_pitch = pitch(layer.codes);
  }
  prepared.run_body(body);
}

Heads Runner::sense(const uint8_t* tile) const {
  const auto& record = network_.model().sensitivity;
  if (!record) throw Error("the packed model has no sensitivity heads");
  const KernelTable& kernels = *network_.isa().kernels;
  return apply_heads(*record, tile_statistics(tile, height_, width_, record->side, kernels));
}

void Runner::run_layer(const Layer& layer, const PreparedLayer& prepared, const uint8_t* tile,
                       uint8_t* picture) {
  const Value& source = network_.model().values[layer.source];
  Epilogue epilogue = prepared.epilogue;
  epilogue.height = height_ * source.scale;
  epilogue.width = width_ * source.scale;
  if (layer.residual != kNone) {
    epilogue.residual = stream(layer.residual);
    epilogue.residual_pitch = pitch(layer.residual);
  }
  if (layer.stream != kNone && map_of_[layer.stream] == kNone) {
    epilogue.picture = picture;
  } else if (layer.stream != kNone) {
    epilogue.stream = stream(layer.stream);
    epilogue.stream_pitch = pitch(layer.stream);
  }
  if (layer.codes != kNone) {
    epilogue.codes = codes(layer.codes);
    epilogue.codes_pitch = pitch(layer.codes);
  }
  Convolution convolution{};
  convolution.height = epilogue.height;
  convolution.width = epilogue.width;
  convolution.in_channels = layer.in_channels;
  convolution.out_channels = prepared.out_channels;
  convolution.kernel = layer.kernel;
  convolution.step = prepared.step;
  convolution.weights = prepared.weights->packed.as<char>();
  if (!prepared.weights->start.empty()) convolution.start = prepared.weights->start.data();
  convolution.scratch = scratch_.as<char>();
  convolution.finish = prepared.finish;
  convolution.epilogue = &epilogue;
  switch (source.kind) {
    case ValueKind::kPicture:
      convolution.source = tile;
      convolution.pitch = ptrdiff_t{width_} * source.channels;
      break;
    case ValueKind::kStream:
      convolution.source = stream(layer.source);
      convolution.pitch = pitch(layer.source);
      break;
    case ValueKind::kCodes:
      convolution.source = codes(layer.source);
      convolution.pitch = pitch(layer.source);
      break;
  }
  prepared.run(convolution);
  if (!prepared.run_border) return;
  epilogue.scales = prepared.border_scales.data();
  epilogue.biases = prepared.biases.data();
  convolution.weights = prepared.border_weights->packed.as<char>();
  prepared.run_border(convolution);
}

}  // namespace gdq

// Bytes -> Model: every number within its own range; model_check.cpp has the rules between them.
// The file may come from anywhere, so nothing is used before it has been checked.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "error.h"
#include "model/model.h"
#include "model/model_check.h"

namespace gdq {
namespace {

constexpr char kMagic[8] = {'G', 'D', 'Q', 'M', 'O', 'D', 'E', 'L'};
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderSize = 64, kValueSize = 48, kLayerSize = 64, kTensorSize = 24;
constexpr uint32_t kMostValues = 4096, kMostLayers = 2048, kMostTensors = 16384;
constexpr int kMostChannels = 1024, kMostKernel = 9, kMostOutChannels = 4096;
constexpr uint32_t kMostGroups = 64, kLargestSide = 1024;
constexpr size_t kAlignment = 64;

// Reads numbers one after the other and never past the end.
class Cursor {
 public:
  Cursor(const uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}

  template <class T>
  T next() {
    require(sizeof(T) <= size_ - place_, "it ends too early");
    T number;
    std::memcpy(&number, bytes_ + place_, sizeof number);
    place_ += sizeof number;
    return number;
  }
  int small(uint32_t most, const char* what) {
    const auto number = next<uint32_t>();
    require(number <= most, std::string(what) + " is out of range");
    return static_cast<int>(number);
  }
  // An index below `count`, or kNone.
  int index(size_t count, const char* what) {
    const auto number = next<int32_t>();
    require(number >= kNone && number < static_cast<int64_t>(count),
            std::string(what) + " does not exist");
    return number;
  }
  template <class T = float>
  T finite(const char* what) {
    const auto number = next<T>();
    require(std::isfinite(number), std::string(what) + " is not finite");
    return number;
  }

 private:
  const uint8_t* bytes_;
  size_t size_, place_ = 0;
};

struct Counts {
  uint32_t bit_widths, values, layers, tensors;
  uint64_t predictor;  // its place in the file, 0 if there is none
};

Counts read_header(Cursor& cursor, size_t size, Model& model) {
  char magic[8];
  for (char& letter : magic) letter = cursor.next<char>();
  if (std::memcmp(magic, kMagic, sizeof magic) != 0) throw Error("this is not a packed model");
  const auto version = cursor.next<uint32_t>();
  if (version != kVersion)
    throw Error("the packed model has version " + std::to_string(version) +
                ", this engine reads version " + std::to_string(kVersion) +
                "; export the checkpoint again");
  model.scale = cursor.small(4, "the scale");
  require(model.scale >= 2, "the scale is out of range");
  Counts counts{};
  counts.bit_widths = cursor.small(kMostBitWidths, "the number of bit-widths");
  counts.values = cursor.small(kMostValues, "the number of values");
  counts.layers = cursor.small(kMostLayers, "the number of layers");
  counts.tensors = cursor.small(kMostTensors, "the number of tensors");
  require(counts.bit_widths >= 1 && counts.values >= 2 && counts.layers >= 1,
          "it holds no network");
  require(cursor.next<uint64_t>() == size, "the file is shorter or longer than it says");
  for (uint32_t i = 0; i < kMostBitWidths; i++) {
    const int width = cursor.small(8, "a bit-width");
    if (i >= counts.bit_widths) continue;
    require(width >= 2, "a bit-width is out of range");
    require(model.bit_widths.empty() || model.bit_widths.back() < width,
            "its bit-widths do not ascend");
    model.bit_widths.push_back(width);
  }
  counts.predictor = cursor.next<uint64_t>();
  const uint64_t tables = kHeaderSize + uint64_t{counts.values} * kValueSize +
                          uint64_t{counts.layers} * kLayerSize +
                          uint64_t{counts.tensors} * kTensorSize;
  require(tables <= size, "it ends too early");
  require(counts.predictor == 0 ||
              (counts.predictor >= tables && counts.predictor % 8 == 0 && counts.predictor <= size),
          "the predictor lies outside the file, or not at a multiple of 8");
  return counts;
}

Value read_value(Cursor& cursor, const Model& model) {
  Value value{};
  value.kind = static_cast<ValueKind>(cursor.small(2, "a value's kind"));
  value.channels = cursor.small(kMostChannels, "a number of channels");
  value.scale = cursor.small(4, "a value's scale");
  value.is_signed = cursor.small(1, "a value's sign") == 1;
  for (float& step : value.steps) step = cursor.finite("a step");
  for (int& bits : value.bits) bits = cursor.small(8, "a number of bits");
  require(value.scale >= 1 && value.scale <= model.scale, "a value's scale is out of range");
  if (value.kind == ValueKind::kPicture) {
    require(value.channels == 3, "a picture does not have three channels");
    return value;
  }
  require(value.channels >= 16 && value.channels % 16 == 0,
          "a number of channels is not a multiple of 16");
  const bool codes = value.kind == ValueKind::kCodes;
  for (size_t i = 0; i < (codes ? model.bit_widths.size() : 1); i++) {
    require(value.steps[i] > 0, "a step is not positive");
    require(!codes || value.bits[i] >= 2, "a number of bits is out of range");
  }
  return value;
}

Layer read_layer(Cursor& cursor, const Counts& counts) {
  Layer layer{};
  layer.source = cursor.index(counts.values, "a source");
  layer.residual = cursor.index(counts.values, "a residual");
  layer.stream = cursor.index(counts.values, "a stream");
  layer.codes = cursor.index(counts.values, "a value of codes");
  layer.kernel = cursor.small(kMostKernel, "a kernel's side");
  layer.block = cursor.small(4, "a depth-to-space block");
  layer.in_channels = cursor.small(kMostChannels, "a number of channels");
  layer.out_channels = cursor.small(kMostOutChannels, "a number of channels");
  layer.residual_factor = cursor.finite("a residual's factor");
  layer.weights = cursor.index(counts.tensors, "a tensor of weights");
  layer.weight_steps = cursor.index(counts.tensors, "a tensor of steps");
  layer.bias = cursor.index(counts.tensors, "a bias");
  layer.slopes = cursor.index(counts.tensors, "a tensor of slopes");
  layer.gains = cursor.index(counts.tensors, "a tensor of gains");
  layer.shifts = cursor.index(counts.tensors, "a tensor of shifts");
  layer.places = cursor.small(9, "a number of places");
  return layer;
}

Tensor read_tensor(Cursor& cursor, const Model& model, size_t size) {
  Tensor tensor{};
  tensor.is_float = cursor.small(1, "a tensor's type") == 0;
  cursor.next<uint32_t>();
  const auto count = cursor.next<uint64_t>(), offset = cursor.next<uint64_t>();
  const size_t element = tensor.is_float ? sizeof(float) : sizeof(int8_t);
  require(offset % kAlignment == 0, "a tensor does not begin at a multiple of 64");
  require(offset <= size && count <= (size - offset) / element, "a tensor ends outside the file");
  tensor.count = count;
  tensor.data = reinterpret_cast<const uint8_t*>(model.bytes.data()) + offset;
  return tensor;
}

// Kinds of a predictor.
constexpr int kGroupNorm = 1, kStatistics = 2;

SensitivityRecord read_sensitivity(Cursor& cursor) {
  SensitivityRecord record{};
  record.side = cursor.small(kLargestSide, "the side of the sensitivity's tiles");
  for (int32_t& step : record.steps) step = cursor.next<int32_t>();
  record.price = cursor.next<int32_t>();
  record.flat = cursor.next<int32_t>();
  for (int32_t& bias : record.biases) bias = cursor.next<int32_t>();
  for (int32_t& weight : record.weights) weight = cursor.next<int32_t>();
  return record;
}

PredictorRecord read_predictor(Cursor& cursor, const Counts& counts, bool is_normalized) {
  PredictorRecord record{};
  record.is_normalized = is_normalized;
  record.kernel = cursor.small(kMostKernel, "the side of the predictor's kernel");
  record.channels = cursor.small(kMostChannels, "the predictor's number of channels");
  record.groups = cursor.small(kMostGroups, "the number of groups");
  for (int& width : record.gate_bit_widths) width = cursor.small(8, "a bit-width of the gate");
  for (int& width : record.entropy_bit_widths)
    width = cursor.small(8, "a bit-width of the entropy");
  for (double& threshold : record.thresholds) threshold = cursor.finite<double>("a threshold");
  record.epsilon = cursor.finite<double>("the predictor's epsilon");
  for (float& mean : record.mean) mean = cursor.finite("the predictor's mean");
  record.head_weights = cursor.index(counts.tensors, "the predictor's tensor of weights");
  record.head_bias = cursor.index(counts.tensors, "the predictor's bias");
  record.gate_weights = cursor.index(counts.tensors, "the gate's tensor of weights");
  record.gate_bias = cursor.index(counts.tensors, "the gate's bias");
  record.norm_weights = cursor.index(counts.tensors, "the norm's tensor of weights");
  record.norm_biases = cursor.index(counts.tensors, "the norm's tensor of biases");
  return record;
}

// Tensors that lie on one another would let a small file stand for any amount of work.
void check_tensors(const std::vector<Tensor>& tensors, size_t size) {
  size_t taken = 0;
  for (const Tensor& tensor : tensors)
    taken += tensor.count * (tensor.is_float ? sizeof(float) : sizeof(int8_t));
  require(taken <= size, "its tensors overlap");
  for (const Tensor& tensor : tensors)
    require(!tensor.is_float || std::all_of(tensor.floats(), tensor.floats() + tensor.count,
                                            [](float number) { return std::isfinite(number); }),
            "a tensor is not finite");
}

}  // namespace

Model parse_model(const void* bytes, size_t size) {
  Model model{};
  model.bytes.resize((size + sizeof(uint64_t) - 1) / sizeof(uint64_t));
  if (size > 0) std::memcpy(model.bytes.data(), bytes, size);
  Cursor cursor(reinterpret_cast<const uint8_t*>(model.bytes.data()), size);
  const Counts counts = read_header(cursor, size, model);
  for (uint32_t i = 0; i < counts.values; i++) model.values.push_back(read_value(cursor, model));
  for (uint32_t i = 0; i < counts.layers; i++) model.layers.push_back(read_layer(cursor, counts));
  for (uint32_t i = 0; i < counts.tensors; i++)
    model.tensors.push_back(read_tensor(cursor, model, size));
  if (counts.predictor != 0) {
    const auto* record = reinterpret_cast<const uint8_t*>(model.bytes.data()) + counts.predictor;
    Cursor inside(record, size - counts.predictor);
    const int kind = inside.small(kStatistics, "the predictor's kind");
    if (kind == kStatistics)
      model.sensitivity = read_sensitivity(inside);
    else
      model.predictor = read_predictor(inside, counts, kind == kGroupNorm);
  }
  check_tensors(model.tensors, size);
  check_model(model);
  return model;
}

Model load_model(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) throw Error(path + ": cannot be read: " + std::strerror(errno));
  std::vector<uint8_t> bytes;
  uint8_t piece[1 << 16];
  size_t count;
  do {
    count = std::fread(piece, 1, sizeof piece, file.get());
    bytes.insert(bytes.end(), piece, piece + count);
  } while (count == sizeof piece);
  if (std::ferror(file.get())) throw Error(path + ": cannot be read: " + std::strerror(errno));
  try {
    return parse_model(bytes.data(), bytes.size());
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
}

}  // namespace gdq

// What a packed model says, checked: FORMAT.md in words of C++.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gdq {

constexpr int kMostBitWidths = 4;

enum class ValueKind { kPicture, kStream, kCodes };

struct Value {
  ValueKind kind;
  int channels;
  int scale;
  bool is_signed;
  std::array<float, kMostBitWidths> steps;
  std::array<int, kMostBitWidths> bits;
};

constexpr int kNone = -1;

struct Layer {
  int source, residual, stream, codes;  // values
  int kernel, block, in_channels, out_channels;
  float residual_factor;
  int weights, weight_steps, bias, slopes, gains, shifts;  // tensors
  int places;
};

struct Tensor {
  bool is_float;
  size_t count;
  const void* data;

  const float* floats() const { return static_cast<const float*>(data); }
  const int8_t* integers() const { return static_cast<const int8_t*>(data); }
};

// What decides a tile's bit-width.
struct PredictorRecord {
  bool is_normalized;  // the gate: group norm, or linear
  int kernel, channels, groups;
  std::array<int, 3> gate_bit_widths, entropy_bit_widths;
  std::array<double, 2> thresholds;  // nats
  double epsilon;
  std::array<float, 3> mean;
  int head_weights, head_bias, gate_weights, gate_bias, norm_weights, norm_biases;  // tensors
};

constexpr int kSensitivityHeads = 3;

// What decides together with the whole picture, by a tile's statistics.
struct SensitivityRecord {
  int side;  // of the tiles that the heads were fitted to
  std::array<int32_t, 3> steps;
  int32_t price, flat;
  std::array<int32_t, kSensitivityHeads> biases;
  std::array<int32_t, kSensitivityHeads * 9> weights;
};

struct Model {
  int scale;
  std::vector<int> bit_widths;
  std::vector<Value> values;
  std::vector<Layer> layers;
  std::vector<Tensor> tensors;
  std::optional<PredictorRecord> predictor;  // at most one of the two
  std::optional<SensitivityRecord> sensitivity;
  std::vector<uint64_t> bytes;  // of the file; tensors point into it

  bool is_integer(const Layer& layer) const {
    return values[layer.source].kind == ValueKind::kCodes;
  }
};

// Raises Error if the bytes are no valid model.
Model parse_model(const void* bytes, size_t size);
// Raises Error if the file cannot be read, too.
Model load_model(const std::string& path);

}  // namespace gdq

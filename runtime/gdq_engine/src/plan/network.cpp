#include "plan/network.h"

#include <algorithm>
#include <string>

#include "error.h"

namespace gdq {
namespace {

// Forms of packed weights, beside those of the integer kernels.
enum PackedForm { kReal3 = kIntegerKernels, kReal5, kRealDirect, kRealNarrow, kHead, kRealBorder };

// One number for each channel, the padded ones zero.
std::vector<float> spread(const float* numbers, size_t count, size_t padded_count, double factor) {
  std::vector<float> result(padded_count, 0.0f);
  for (size_t i = 0; i < count; i++) result[i] = static_cast<float>(numbers[i] * factor);
  return result;
}

}  // namespace

IntegerWeights quantize_layer(const Model& model, const Layer& layer, IntegerKernel kernel) {
  const Tensor& integers = model.tensors[layer.weights];
  const Tensor& steps = model.tensors[layer.weight_steps];
  std::vector<float> exact(layer.out_channels);
  std::vector<double> real(integers.count);
  const size_t per_channel = integers.count / layer.out_channels;
  for (int oc = 0; oc < layer.out_channels; oc++)
    exact[oc] = steps.floats()[steps.count == 1 ? 0 : oc];
  for (size_t i = 0; i < real.size(); i++)
    real[i] = double(integers.integers()[i]) * exact[i / per_channel];
  return quantize(kernel, layer.out_channels, layer.in_channels, real.data(), exact.data());
}

Network::Network(Model model, const InstructionSet& isa)
    : model_(std::move(model)), isa_(isa), prepared_(model_.bit_widths.size()) {
  if (model_.predictor) predictor_.emplace(*model_.predictor, model_.tensors, *isa_.kernels);
}

int Network::index_of(int bit_width) const {
  const auto& widths = model_.bit_widths;
  const auto found = std::find(widths.begin(), widths.end(), bit_width);
  if (found == widths.end())
    throw Error("the packed model has no bit-width " + std::to_string(bit_width));
  return static_cast<int>(found - widths.begin());
}

const PreparedNetwork& Network::at(int bit_width) {
  const int index = index_of(bit_width);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!prepared_[index]) prepared_[index] = prepare(index);
  return *prepared_[index];
}

IntegerKernel Network::kernel_for(int bits) const {
  const auto chosen = chosen_.find(bits);
  return chosen == chosen_.end() ? best_kernel(isa_, bits) : chosen->second;
}

IntegerKernel Network::kernel(int bit_width) const {
  index_of(bit_width);
  const std::lock_guard<std::mutex> lock(mutex_);
  return kernel_for(bit_width);
}

void Network::choose_kernel(int bit_width, IntegerKernel kernel) {
  index_of(bit_width);
  if (kernel == kIntegerKernels) throw Error("there is no kernel of this name");
  const std::string name = kernel_shape(kernel).name;
  if (!isa_.kernels->integer[kernel])
    throw Error("kernel " + name + " does not exist for " + isa_.name);
  if (bit_width > kernel_shape(kernel).largest_bits)
    throw Error("kernel " + name + " is not exact at " + std::to_string(bit_width) + " bits");
  const std::lock_guard<std::mutex> lock(mutex_);
  require_unprepared();
  chosen_[bit_width] = kernel;
}

void Network::avoid_half() {
  const std::lock_guard<std::mutex> lock(mutex_);
  require_unprepared();
  avoids_half_ = true;
}

void Network::require_unprepared() const {
  for (const auto& network : prepared_)
    if (network) throw Error("kernels can only be chosen before the first tile");
}

std::unique_ptr<PreparedNetwork> Network::prepare(int width_index) {
  auto network = std::make_unique<PreparedNetwork>();
  network->width_index = width_index;
  const size_t count = model_.layers.size();
  network->layers.resize(count);
  for (const Value& value : model_.values) network->stream_steps.push_back(value.steps[0]);
  for (size_t i = 0; i < count; i++)
    if (model_.is_integer(model_.layers[i]))
      pose_body(model_.layers[i], static_cast<int>(i), width_index, network->layers[i]);
  unify_steps(*network);
  for (size_t i = 0; i < count; i++) {
    PreparedLayer& prepared = network->layers[i];
    prepare_layer(model_.layers[i], static_cast<int>(i), *network, prepared);
    if (model_.is_integer(model_.layers[i]))
      network->report += "layer " + std::to_string(i) + ": " + prepared.note + "\n";
  }
  return network;
}

void Network::prepare_layer(const Layer& layer, int layer_index, const PreparedNetwork& network,
                            PreparedLayer& prepared) {
  const int width_index = network.width_index;
  prepared.out_channels = padded(layer.out_channels);
  if (model_.is_integer(layer)) {
    const bool solved = solve_body(layer, width_index, network.stream_steps, prepared);
    const IntegerKernel kernel = kernel_for(model_.values[layer.source].bits[width_index]);
    prepared.note = std::string(kernel_shape(kernel).name) + ", " +
                    (solved ? "" : "sums of 32 bits for ") + prepared.note;
    if (solved) return;
    prepare_integer(layer, layer_index, width_index, prepared);
  } else {
    prepare_real(layer, layer_index, network, prepared);
  }
  prepare_epilogue(layer, network, prepared);
}

template <class Pack>
const PackedWeights& Network::pack_once(int layer_index, int form, Pack&& pack) {
  const auto key = std::make_pair(layer_index, form);
  const auto found = packed_.find(key);
  return found != packed_.end() ? found->second : packed_.emplace(key, pack()).first->second;
}

template <class Pack>
const PackedWeights& Network::pack_real_once(int layer_index, int form, Pack&& pack) {
  return pack_once(layer_index, form, [&] {
    PackedWeights result;
    result.packed = pack();
    return result;
  });
}

void Network::prepare_integer(const Layer& layer, int layer_index, int width_index,
                              PreparedLayer& prepared) {
  const Value& source = model_.values[layer.source];
  const int bits = source.bits[width_index], out = layer.out_channels;
  const IntegerKernel kernel = kernel_for(bits);
  prepared.run = isa_.kernels->integer[kernel];
  prepared.weights = &pack_once(layer_index, kernel, [&] {
    return pack_integer(kernel, *isa_.kernels, out, layer.in_channels,
                        quantize_layer(model_, layer, kernel));
  });
  const KernelShape& shape = kernel_shape(kernel);
  prepared.scratch_bytes = [=, &shape](int width) {
    return kernel == kDirect ? direct_scratch(3, 1, width, layer.in_channels, out)
                             : transformed_scratch(shape.products, shape.rows * shape.columns,
                                                   shape.weight_bits / 8, layer.in_channels, out);
  };
  const double step = source.steps[width_index];
  const float* bias = model_.tensors[layer.bias].floats() + size_t(width_index) * out;
  // Unsigned codes are stored less their centre, whose response is the same at every pixel.
  const double centre = source.is_signed ? 0 : 1 << (bits - 1);
  for (int oc = 0; oc < out; oc++) {
    const double scale = step * prepared.weights->scales[oc];
    prepared.scales.push_back(static_cast<float>(scale));
    const double constant = scale * centre * prepared.weights->ones[oc];
    prepared.biases.push_back(static_cast<float>(bias[oc] + constant));
  }
}

void Network::prepare_real(const Layer& layer, int layer_index, const PreparedNetwork& network,
                           PreparedLayer& prepared) {
  const Value& source = model_.values[layer.source];
  const int in = layer.in_channels, out = layer.out_channels, kernel = layer.kernel;
  const int padded_out = prepared.out_channels;
  const RealKernels& table = *isa_.real;
  const int inside = layer.places == 9 ? 4 : 0;
  const float* weights =
      model_.tensors[layer.weights].floats() + size_t(inside) * kernel * kernel * in * out;
  prepared.step = source.kind == ValueKind::kStream ? network.stream_steps[layer.source] : 1.0f;
  if (source.kind == ValueKind::kStream && (kernel == 3 || kernel == 5)) {
    if (!prepare_half(layer, network, weights, prepared)) {
      const bool three = kernel == 3;
      prepared.run = three ? table.three : table.five;
      prepared.weights = &pack_once(layer_index, three ? kReal3 : kReal5, [&] {
        return pack_real(three ? RealForm::kThree : RealForm::kFive, out, in, weights);
      });
      prepared.scratch_bytes = [=, outputs = three ? 6 : 4](int width) {
        return real_scratch(outputs, 8, sizeof(float), width, in);
      };
    }
  } else if (source.kind == ValueKind::kPicture) {
    prepared.run = table.head;
    prepared.weights = &pack_once(layer_index, kHead,
                                  [&] { return pack_head(table.head_form, kernel, out, weights); });
    prepared.scratch_bytes = [=, element = 4 / head_together(table.head_form)](int width) {
      return head_scratch(kernel, element, width, padded_out);
    };
  } else {
    const bool narrow = out <= kNarrowChannels;
    prepared.run = narrow ? table.narrow : table.direct;
    prepared.weights = &pack_real_once(layer_index, narrow ? kRealNarrow : kRealDirect, [&] {
      return narrow ? pack_real_narrow(kernel, out, in, weights)
                    : pack_real_direct(1, kernel, out, in, weights);
    });
    prepared.scratch_bytes = [=](int width) {
      return direct_scratch(kernel, sizeof(float), width, in, padded_out);
    };
  }
  if (layer.places == 9) prepare_border(layer, layer_index, prepared);
  prepared.scales = prepared.weights->scales;
  prepared.scales.resize(padded_out, 1.0f);
  const float* bias = model_.tensors[layer.bias].floats();
  for (int place = 0; place < layer.places; place++) {
    const auto one = spread(bias + size_t(place) * out, out, padded_out, 1);
    prepared.biases.insert(prepared.biases.end(), one.begin(), one.end());
  }
  prepared.inside_bias = inside * padded_out;
}

// What an epilogue counts in: levels of the picture, or steps of the stream or else of the codes.
double Network::unit_of(const Layer& layer, const PreparedNetwork& network) const {
  const int index = layer.stream != kNone ? layer.stream : layer.codes;
  const Value& written = model_.values[index];
  switch (written.kind) {
    case ValueKind::kPicture:
      return 1;
    case ValueKind::kStream:
      return network.stream_steps[index];
    default:
      return written.steps[network.width_index];
  }
}

// Whether the layer is computed in half precision.
bool Network::prepare_half(const Layer& layer, const PreparedNetwork& network, const float* weights,
                           PreparedLayer& prepared) const {
  const bool three = layer.kernel == 3;
  const ConvolutionFunction run = three ? isa_.real->three_half : isa_.real->five_half;
  if (!run || avoids_half_) return false;
  const double unit = unit_of(layer, network);
  auto packed = pack_half(three ? RealForm::kThreeHalf : RealForm::kFiveHalf, layer.out_channels,
                          layer.in_channels, weights, prepared.step / unit);
  if (!packed) return false;
  prepared.run = run;
  prepared.own_weights = std::move(*packed);
  prepared.weights = &prepared.own_weights;
  for (float& scale : prepared.own_weights.scales) scale *= static_cast<float>(unit);
  prepared.scratch_bytes = [in = layer.in_channels, points = three ? 6 : 8](int width) {
    return real_scratch(4, points, sizeof(uint16_t), width, in);
  };
  return true;
}

void Network::prepare_border(const Layer& layer, int layer_index, PreparedLayer& prepared) {
  const int in = layer.in_channels, kernel = layer.kernel, padded_out = prepared.out_channels;
  const bool picture = model_.values[layer.source].kind == ValueKind::kPicture;
  prepared.border_scales.assign(padded_out, 1.0f);
  prepared.run_border = picture ? isa_.real->picture_border : isa_.real->border;
  prepared.border_weights = &pack_real_once(layer_index, kRealBorder, [&] {
    return pack_real_direct(layer.places, kernel, layer.out_channels, in,
                            model_.tensors[layer.weights].floats());
  });
  prepared.scratch_bytes = [=, main = prepared.scratch_bytes](int width) {
    return std::max(main(width), border_scratch(kernel, in, padded_out));
  };
}

// Whether more follows a layer than what the range of its codes does by itself.
bool Network::needs_activation(const Layer& layer) const {
  if (layer.gains != kNone) return true;
  if (layer.slopes == kNone) return false;
  const Tensor& slopes = model_.tensors[layer.slopes];
  const bool relu = std::all_of(slopes.floats(), slopes.floats() + slopes.count,
                                [](float slope) { return slope == 0; });
  // The range of unsigned codes begins at zero: it is the ReLU.
  return !(relu && layer.stream == kNone && layer.residual == kNone &&
           !model_.values[layer.codes].is_signed);
}

void Network::prepare_epilogue(const Layer& layer, const PreparedNetwork& network,
                               PreparedLayer& prepared) {
  const int width_index = network.width_index;
  const auto values = [&](int index) { return index == kNone ? nullptr : &model_.values[index]; };
  const Value *stream = values(layer.stream), *codes = values(layer.codes);
  const Value* residual = values(layer.residual);
  const bool picture = stream && stream->kind == ValueKind::kPicture;
  const double unit = unit_of(layer, network);
  for (float& scale : prepared.scales) scale = static_cast<float>(scale / unit);
  for (float& scale : prepared.border_scales) scale = static_cast<float>(scale / unit);
  for (float& bias : prepared.biases) bias = static_cast<float>(bias / unit);
  Epilogue& e = prepared.epilogue;
  e.channels = layer.out_channels;
  e.block = layer.block;
  unsigned flags = 0;
  if (layer.slopes != kNone || layer.gains != kNone) {
    const size_t out = layer.out_channels, padded_out = prepared.out_channels;
    prepared.slopes.assign(padded_out, 1.0f);
    prepared.gains = prepared.slopes;
    prepared.shifts.assign(padded_out, 0.0f);
    if (layer.slopes != kNone)
      prepared.slopes = spread(model_.tensors[layer.slopes].floats(), out, padded_out, 1);
    if (layer.gains != kNone) {
      prepared.gains = spread(model_.tensors[layer.gains].floats(), out, padded_out, 1);
      prepared.shifts = spread(model_.tensors[layer.shifts].floats(), out, padded_out, 1 / unit);
    }
  }
  if (needs_activation(layer)) flags |= kActivation;
  if (residual) {
    flags |= kResidual;
    e.residual_factor =
        static_cast<float>(layer.residual_factor * network.stream_steps[layer.residual] / unit);
  }
  if (stream) flags |= kStream;
  if (codes) {
    flags |= kCodes;
    const int bits = codes->bits[width_index], half = 1 << (bits - 1);
    e.codes_scale = static_cast<float>(unit / codes->steps[width_index]);
    e.codes_zero = codes->is_signed ? 0.0f : static_cast<float>(-half);
    e.codes_low = static_cast<float>(-half);
    e.codes_high = static_cast<float>(half - 1);
  }
  e.flags = flags;
  prepared.finish = picture ? isa_.kernels->picture : isa_.kernels->epilogues[flags];
  e.scales = prepared.scales.data();
  e.biases = prepared.biases.data() + prepared.inside_bias;
  e.slopes = prepared.slopes.data();
  e.gains = prepared.gains.data();
  e.shifts = prepared.shifts.data();
}

}  // namespace gdq

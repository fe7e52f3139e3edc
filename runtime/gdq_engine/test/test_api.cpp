#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "aligned.h"
#include "c_api.h"
#include "error.h"
#include "gdq_engine_test.h"
#include "isa/instruction_sets.h"
#include "plan/body.h"
#include "plan/weights.h"

using gdq::guarded;
using gdq::kFailed;

namespace {

gdq::IntegerKernel require_kernel(const char* name) {
  const gdq::IntegerKernel kernel = gdq::find_kernel(name);
  if (kernel == gdq::kIntegerKernels)
    throw gdq::Error(std::string("there is no kernel ") + (name ? name : "without a name"));
  return kernel;
}

// One convolution with everything it needs, for gdq_kernel_run.
class SingleConvolution {
 public:
  SingleConvolution(const gdq::InstructionSet& isa, gdq::IntegerKernel kernel, int bits,
                    bool is_signed, int height, int width, int in, int out)
      : isa_(isa),
        kernel_(kernel),
        bits_(bits),
        is_signed_(is_signed),
        height_(height),
        width_(width),
        in_(in),
        out_(out) {
    using gdq::Error;
    if (!isa.kernels->integer[kernel])
      throw Error("this kernel is not written for this instruction set");
    if (bits < 2 || bits > gdq::kernel_shape(kernel).largest_bits)
      throw Error("this kernel is not exact at this width");
    if (height < 1 || width < 1 || height > 4096 || width > 4096)
      throw Error("the map's size is out of range");
    if (in < 16 || in % 16 || out < 16 || out % 16 || in > 1024 || out > 4096)
      throw Error("channels must be multiples of 16");
  }

  void set_weights(const float* weights, int32_t* transformed, float* scales) {
    const size_t count = size_t(in_) * out_ * 9;
    const std::vector<double> real(weights, weights + count);
    const gdq::IntegerWeights integer = gdq::quantize(kernel_, out_, in_, real.data(), nullptr);
    weights_ = gdq::pack_integer(kernel_, *isa_.kernels, out_, in_, integer);
    if (transformed) std::copy(integer.integers.begin(), integer.integers.end(), transformed);
    std::copy(weights_.scales.begin(), weights_.scales.end(), scales);
  }

  void set_codes(const int16_t* codes) {
    const int centre = is_signed_ ? 0 : 1 << (bits_ - 1);
    const int rows = (height_ + 3) / 4 * 4 + 2, columns = (width_ + 3) / 4 * 4 + 2;
    pitch_ = ptrdiff_t{columns} * in_;
    map_ = gdq::AlignedBytes(size_t(rows) * pitch_);
    std::memset(map_.as<int8_t>(), -centre, map_.size());
    for (int y = 0; y < height_; y++)
      for (ptrdiff_t i = 0; i < ptrdiff_t{width_} * in_; i++)
        map_.as<int8_t>()[(y + 1) * pitch_ + in_ + i] =
            static_cast<int8_t>(codes[y * ptrdiff_t{width_} * in_ + i] - centre);
  }

  void run(float* sums, int repeats) {
    const int centre = is_signed_ ? 0 : 1 << (bits_ - 1);
    const gdq::KernelShape& shape = gdq::kernel_shape(kernel_);
    gdq::AlignedBytes scratch(
        std::max(gdq::direct_scratch(3, 1, width_, in_, out_),
                 gdq::transformed_scratch(shape.products, shape.rows * shape.columns,
                                          shape.weight_bits / 8, in_, out_)));
    gdq::Epilogue epilogue{};
    epilogue.height = height_;
    epilogue.width = width_;
    epilogue.channels = out_;
    std::vector<float> constant(weights_.ones.begin(), weights_.ones.end());
    for (float& sum : constant) sum *= static_cast<float>(centre);
    epilogue.biases = constant.data();
    sums_ = sums;
    epilogue.picture = reinterpret_cast<uint8_t*>(this);  // for `keep`
    gdq::Convolution convolution{};
    convolution.source = map_.as<int8_t>() + pitch_ + in_;
    convolution.pitch = pitch_;
    convolution.height = height_;
    convolution.width = width_;
    convolution.in_channels = in_;
    convolution.out_channels = out_;
    convolution.weights = weights_.packed.as<char>();
    convolution.start = weights_.start.data();
    convolution.scratch = scratch.as<char>();
    convolution.finish = keep;
    convolution.epilogue = &epilogue;
    for (int i = 0; i < repeats; i++) isa_.kernels->integer[kernel_](convolution);
  }

 private:
  static void keep(const gdq::Epilogue& epilogue, const gdq::Sums& sums) {
    auto& self = *reinterpret_cast<SingleConvolution*>(epilogue.picture);
    for (int r = 0; r < sums.rows && sums.row + r < self.height_; r++)
      for (int c = 0; c < sums.columns && sums.column + c < self.width_; c++) {
        const float* from = sums.first + r * sums.row_pitch + c * sums.column_pitch;
        float* to =
            self.sums_ + (ptrdiff_t{sums.row + r} * self.width_ + sums.column + c) * self.out_;
        for (int oc = 0; oc < self.out_; oc++) to[oc] = from[oc] + epilogue.biases[oc];
      }
  }

  const gdq::InstructionSet& isa_;
  const gdq::IntegerKernel kernel_;
  const int bits_;
  const bool is_signed_;
  const int height_, width_, in_, out_;
  gdq::PackedWeights weights_;
  gdq::AlignedBytes map_;
  ptrdiff_t pitch_ = 0;
  float* sums_ = nullptr;
};

// A map with a border of one, and room for whole tiles behind it.
template <class T>
struct PaddedMap {
  PaddedMap(int height, int width, int channels, T outside)
      : pitch(ptrdiff_t{width + 6} * channels), channels(channels) {
    const size_t count = size_t(height + 6) * pitch;
    memory = gdq::AlignedBytes(count * sizeof(T));
    std::fill_n(memory.as<T>(), count, outside);
  }
  T* origin() { return memory.as<T>() + pitch + channels; }
  void read(const T* from, int height, int width) {
    for (int y = 0; y < height; y++)
      std::copy_n(from + y * ptrdiff_t{width} * channels, width * channels, origin() + y * pitch);
  }
  void write(T* to, int height, int width) {
    for (int y = 0; y < height; y++)
      std::copy_n(origin() + y * pitch, width * channels, to + y * ptrdiff_t{width} * channels);
  }

  gdq::AlignedBytes memory;
  ptrdiff_t pitch;
  int channels;
};

void run_body(const gdq::KernelTable& table, gdq::IntegerKernel kernel,
              const gdq_body_layer& layer) {
  const int in = layer.in_channels, out = layer.out_channels;
  if (!table.body_layers[kernel] || !gdq::narrows(kernel) || out % table.body.group != 0 ||
      in % 16 != 0)
    throw gdq::Error("this kernel has no such layers");
  const std::vector<double> real(layer.weights, layer.weights + size_t(in) * out * 9);
  gdq::IntegerWeights integer = gdq::quantize(kernel, out, in, real.data(), nullptr);
  std::copy(integer.integers.begin(), integer.integers.end(), layer.transformed);
  const gdq::BodyWeights weights = gdq::pack_body(kernel, table.body, out, in, integer);
  const std::vector<int32_t> start = gdq::body_start(kernel, table.body, weights, layer.narrowing,
                                                     {layer.start, layer.start + out});
  PaddedMap<int8_t> source(layer.height, layer.width, in, static_cast<int8_t>(layer.outside));
  PaddedMap<int8_t> codes(layer.height, layer.width, out, 0);
  PaddedMap<int16_t> stream(layer.height, layer.width, out, 0);
  source.read(layer.codes, layer.height, layer.width);
  if (layer.residual) stream.read(layer.residual, layer.height, layer.width);
  gdq::AlignedBytes scratch(gdq::body_scratch(kernel, table.body, in));
  gdq::BodyLayer body{};
  body.source = source.origin();
  body.pitch = source.pitch;
  body.height = layer.height;
  body.width = layer.width;
  body.in_channels = in;
  body.out_channels = out;
  body.weights = weights.packed.as<int8_t>();
  body.start = start.data();
  body.narrowing = layer.narrowing;
  body.factors = layer.factors;
  body.scratch = scratch.as<char>();
  if (layer.residual) {
    body.residual = body.stream = stream.origin();
    body.residual_pitch = body.stream_pitch = stream.pitch;
  }
  if (layer.made) {
    body.codes = codes.origin();
    body.codes_pitch = codes.pitch;
  }
  body.codes_factor = layer.codes_factor;
  body.codes_low = layer.low;
  body.codes_high = layer.high;
  table.body_layers[kernel](body);
  if (layer.residual) stream.write(layer.stream, layer.height, layer.width);
  if (layer.made) codes.write(layer.made, layer.height, layer.width);
}

}  // namespace

extern "C" {

int32_t gdq_model_choose_kernel(gdq_model* model, int32_t bit_width, const char* kernel) {
  return guarded<int32_t>(kFailed, [&] {
    model->network.choose_kernel(bit_width, require_kernel(kernel));
    return 0;
  });
}

int32_t gdq_model_avoid_half(gdq_model* model) {
  return guarded<int32_t>(kFailed, [&] {
    model->network.avoid_half();
    return 0;
  });
}

int32_t gdq_kernel_count(void) { return gdq::kIntegerKernels; }

int32_t gdq_kernel_describe(int32_t index, gdq_kernel_info* info) {
  if (index < 0 || index >= gdq::kIntegerKernels) return kFailed;
  const gdq::KernelShape& shape = gdq::kernel_shape(static_cast<gdq::IntegerKernel>(index));
  *info = {shape.name,     shape.rows,        shape.columns,
           shape.products, shape.weight_bits, shape.largest_bits};
  return 0;
}

int32_t gdq_kernel_available(const char* isa, const char* kernel) {
  return guarded<int32_t>(0, [&]() -> int32_t {
    const gdq::IntegerKernel found = require_kernel(kernel);
    return gdq::choose_instruction_set(isa).kernels->integer[found] != nullptr;
  });
}

int32_t gdq_kernel_run(const char* isa, const char* kernel, int32_t bits, int32_t is_signed,
                       int32_t height, int32_t width, int32_t in_channels, int32_t out_channels,
                       const int16_t* codes, const float* weights, float* sums,
                       int32_t* transformed, float* scales, int32_t repeats) {
  return guarded<int32_t>(kFailed, [&] {
    SingleConvolution convolution(gdq::choose_instruction_set(isa), require_kernel(kernel), bits,
                                  is_signed != 0, height, width, in_channels, out_channels);
    convolution.set_weights(weights, transformed, scales);
    convolution.set_codes(codes);
    if (repeats < 1) throw gdq::Error("a convolution runs at least once");
    convolution.run(sums, repeats);
    return 0;
  });
}

int32_t gdq_body_group(const char* isa, const char* kernel) {
  return guarded<int32_t>(kFailed, [&] {
    const gdq::KernelTable& table = *gdq::choose_instruction_set(isa).kernels;
    return table.body_layers[require_kernel(kernel)] ? table.body.group : 0;
  });
}

int32_t gdq_body_run(const char* isa, const char* kernel, const gdq_body_layer* layer) {
  return guarded<int32_t>(kFailed, [&] {
    run_body(*gdq::choose_instruction_set(isa).kernels, require_kernel(kernel), *layer);
    return 0;
  });
}

}  // extern "C"

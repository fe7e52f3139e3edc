// A model made ready for one instruction set: kernels chosen, weights packed, factors multiplied.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "isa/instruction_sets.h"
#include "kernels/convolution.h"
#include "model/model.h"
#include "plan/body.h"
#include "plan/predictor.h"
#include "plan/real_weights.h"
#include "plan/weights.h"

namespace gdq {

// One layer at one bit-width. Pointers of an Epilogue are into the vectors here; what depends on
// the tile (maps, sizes) is left for the runner.
struct PreparedLayer {
  // An integer layer that ends in integers has these; `numbers` are what `body` points to.
  BodyFunction run_body = nullptr;
  BodyLayer body{};
  std::optional<BodyProblem> problem;
  BodyNumbers numbers;
  std::string note;  // how an integer layer ends, or why not in integers
  // All others have these.
  ConvolutionFunction run = nullptr, run_border = nullptr;
  EpilogueFunction finish = nullptr;
  const PackedWeights* weights = nullptr;
  const PackedWeights* border_weights = nullptr;
  PackedWeights own_weights;  // that no other bit-width shares
  int out_channels = 0;       // padded
  float step = 0;             // of a real source
  std::vector<float> scales, biases, slopes, gains, shifts;
  std::vector<float> border_scales;
  size_t inside_bias = 0;  // where the biases of inner pixels begin
  Epilogue epilogue{};
  std::function<size_t(int)> scratch_bytes;  // of the width of the source
};

struct PreparedNetwork {
  int width_index;
  std::vector<PreparedLayer> layers;
  std::vector<float> stream_steps;  // of each value; those of a packed model or coarser
  std::string report;               // a line for each integer layer
};

class Network {
 public:
  Network(Model model, const InstructionSet& isa);

  const Model& model() const { return model_; }
  const InstructionSet& isa() const { return isa_; }

  // Null if the model has none.
  const Predictor* predictor() const { return predictor_ ? &*predictor_ : nullptr; }

  // Prepared at the first call; any thread. Raises Error if there is no such bit-width.
  const PreparedNetwork& at(int bit_width);
  // The kernel that runs integer layers whose codes have the bit-width's own number of bits.
  IntegerKernel kernel(int bit_width) const;
  // How each integer layer is computed, line by line. Raises Error if there is no such bit-width.
  const std::string& report(int bit_width) { return at(bit_width).report; }
  // Only before the first tile. Raises Error if it is later, or if the kernel is not exact at that
  // width or not on this instruction set.
  void choose_kernel(int bit_width, IntegerKernel kernel);
  // Only before the first tile: no layer is computed in half precision. Raises Error if it is
  // later.
  void avoid_half();

 private:
  int index_of(int bit_width) const;
  void require_unprepared() const;
  IntegerKernel kernel_for(int bits) const;
  std::unique_ptr<PreparedNetwork> prepare(int width_index);
  void prepare_layer(const Layer& layer, int layer_index, const PreparedNetwork& network,
                     PreparedLayer& prepared);
  std::string body_obstacle(const Layer& layer, IntegerKernel kernel) const;
  bool needs_activation(const Layer& layer) const;
  void pose_body(const Layer& layer, int layer_index, int width_index, PreparedLayer& prepared);
  const BodyWeights& pack_body_once(const Layer& layer, int layer_index, IntegerKernel kernel);
  void unify_steps(PreparedNetwork& network) const;
  bool solve_body(const Layer& layer, int width_index, const std::vector<float>& stream_steps,
                  PreparedLayer& prepared);
  void prepare_integer(const Layer& layer, int layer_index, int width_index,
                       PreparedLayer& prepared);
  double unit_of(const Layer& layer, const PreparedNetwork& network) const;
  void prepare_real(const Layer& layer, int layer_index, const PreparedNetwork& network,
                    PreparedLayer& prepared);
  bool prepare_half(const Layer& layer, const PreparedNetwork& network, const float* weights,
                    PreparedLayer& prepared) const;
  void prepare_border(const Layer& layer, int layer_index, PreparedLayer& prepared);
  void prepare_epilogue(const Layer& layer, const PreparedNetwork& network,
                        PreparedLayer& prepared);

  template <class Pack>
  const PackedWeights& pack_once(int layer_index, int form, Pack&& pack);
  template <class Pack>
  const PackedWeights& pack_real_once(int layer_index, int form, Pack&& pack);

  const Model model_;
  const InstructionSet& isa_;
  std::optional<Predictor> predictor_;
  mutable std::mutex mutex_;
  std::map<int, IntegerKernel> chosen_;  // bits -> kernel
  bool avoids_half_ = false;
  std::map<std::pair<int, int>, BodyWeights> bodies_;       // (layer, kernel)
  std::map<std::pair<int, int>, PackedWeights> packed_;     // (layer, form)
  std::vector<std::unique_ptr<PreparedNetwork>> prepared_;  // by index of bit-width
};

// The weights of an integer layer in the form of a kernel.
IntegerWeights quantize_layer(const Model& model, const Layer& layer, IntegerKernel kernel);

}  // namespace gdq

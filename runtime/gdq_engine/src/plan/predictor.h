// The predictor: a gate over the head's features and an entropy rule decide a tile's bit-width
// (FORMAT.md, section Predictor). No features are made: their means and variances follow from
// products of the tile's patches, which are whole numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/convolution.h"
#include "model/model.h"

namespace gdq {

constexpr int kOutputs = 3;  // of the gate

struct Prediction {
  std::array<float, kOutputs> logits;
  float entropy;  // nats
  int bit_width;
};

class Predictor {
 public:
  // tensors: of the model; what is needed of them is copied.
  Predictor(const PredictorRecord& record, const std::vector<Tensor>& tensors,
            const KernelTable& kernels);

  size_t scratch_bytes(int height, int width) const;
  // tile: (height, width, 3); scratch: 64-byte aligned. Raises Error if the tile is too small.
  Prediction predict(const uint8_t* tile, int height, int width, char* scratch) const;

 private:
  using Numbers = std::vector<double>;
  struct Image;
  // Of the patches at one granularity.
  struct Moments {
    Numbers means;     // (components)
    Numbers products;  // means, too; pairs of components, the first not after the second
  };

  Image centred(const uint8_t* tile, int height, int width, char* scratch) const;
  Moments moments(const Image& image, bool only_means) const;
  Numbers feature_means(const Moments& moments) const;
  void normalise(const Moments& moments, const Numbers& pooled, int granularity,
                 double* features) const;
  std::array<float, kOutputs> logits(Image image) const;
  double entropy(const uint8_t* tile, int height, int width, char* scratch) const;
  int decide(const std::array<float, kOutputs>& logits, double entropy) const;

  const KernelTable& kernels_;
  PredictorRecord record_;
  int colours_;      // red, green, blue, and, if there is a mean, whether it is inside the tile
  int components_;   // of a patch, with the 1 in front
  int padded_;       // the same as the kernel takes it
  Numbers head_;     // (components, channels); the first row is the bias
  Numbers squares_;  // (pairs of components, groups): covariance -> mean variance within channels
  Numbers gate_weights_, gate_bias_, norm_weights_, norm_biases_;
};

}  // namespace gdq

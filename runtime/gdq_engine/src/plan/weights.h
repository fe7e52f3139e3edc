// Weights in the form that a kernel takes: transformed, quantized, packed.
#pragma once

#include <cstdint>
#include <vector>

#include "aligned.h"
#include "kernels/convolution.h"
#include "plan/algorithms.h"

namespace gdq {

struct PackedWeights {
  AlignedBytes packed;
  std::vector<int32_t> start;  // (products, out) or, without a transform, (out)
  std::vector<float> scales;   // (out): sums -> real, for a step of one
  std::vector<double> ones;    // (out): sums where all codes are one
};

// Transformed weights as whole numbers.
struct IntegerWeights {
  std::vector<int32_t> integers;  // (products, out, in)
  std::vector<int32_t> sums;      // (products, out): over the input channels
  std::vector<float> scales;      // (out): sums -> real, for a step of one
  std::vector<double> ones;       // (out): sums where all codes are one
};

// Quantizes (out, in, 3, 3) real weights for codes of up to kernel_shape().largest_bits.
// exact_steps: (out) steps of which the weights are multiples by -128..127; they are kept where the
//              kernel has no transform. May be null.
IntegerWeights quantize(IntegerKernel kernel, int out_channels, int in_channels,
                        const double* weights, const float* exact_steps);

// table: of the instruction set that will run them.
PackedWeights pack_integer(IntegerKernel kernel, const KernelTable& table, int out_channels,
                           int in_channels, const IntegerWeights& weights);

inline int padded(int channels) { return (channels + 15) / 16 * 16; }

}  // namespace gdq

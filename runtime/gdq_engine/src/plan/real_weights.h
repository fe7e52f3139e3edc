// Weights of real layers in the form that their kernels take.
#pragma once

#include <optional>

#include "kernels/real.h"
#include "plan/weights.h"

namespace gdq {

// Forms of weights for the transformed kernels of RealKernels.
enum class RealForm { kThree, kFive, kThreeHalf, kFiveHalf };

// (out, in, kernel, kernel) real weights; the packed channels are padded to a multiple of 16.
PackedWeights pack_real(RealForm form, int out_channels, int in_channels, const float* weights);

// The same in half precision. Weights are multiplied by `factor`, what makes the steps of the
// stream that is read units of the sums, and by a power of two at which nothing overflows, whatever
// is read; `scales` take that back. Nothing, where no power of two does.
std::optional<PackedWeights> pack_half(RealForm form, int out_channels, int in_channels,
                                       const float* weights, double factor);

// The nearest number of half precision, ties to even, of a magnitude up to 65504.
uint16_t half_bits(double x);

AlignedBytes pack_real_direct(int places, int kernel, int out_channels, int in_channels,
                              const float* weights);
AlignedBytes pack_real_narrow(int kernel, int out_channels, int in_channels, const float* weights);

// (out, 3, kernel, kernel) real weights of the head. In integers each channel's have a step of
// their own, a 32639th of the largest.
PackedWeights pack_head(HeadForm form, int kernel, int out_channels, const float* weights);

}  // namespace gdq

// Weights of real layers in the form that their kernels take.
#pragma once

#include "kernels/real.h"
#include "plan/weights.h"

namespace gdq {

// (out, in, kernel, kernel) real weights; the packed channels are padded to a multiple of 16.
AlignedBytes pack_real3(int out_channels, int in_channels, const float* weights);
AlignedBytes pack_real5(int out_channels, int in_channels, const float* weights);
AlignedBytes pack_real_direct(int places, int kernel, int out_channels, int in_channels,
                              const float* weights);
AlignedBytes pack_real_narrow(int kernel, int out_channels, int in_channels, const float* weights);

// (out, 3, kernel, kernel) real weights of the head. In integers each channel's have a step of
// their own, a 32639th of the largest.
PackedWeights pack_head(HeadForm form, int kernel, int out_channels, const float* weights);

}  // namespace gdq

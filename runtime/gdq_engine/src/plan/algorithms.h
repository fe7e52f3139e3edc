// The fast convolution algorithms: their matrices, and what follows from them. docs/engine.md
// derives them; kernels/transforms.h has B^T and A^T as additions.
#pragma once

#include "kernels/convolution.h"

namespace gdq {

constexpr int kMostTaps = 5, kMostPoints = 8;

// A one-dimensional algorithm.
struct Algorithm {
  int outputs, points, taps;
  // Each output is this many times the convolution.
  double output_factor;
  double g[kMostPoints][kMostTaps];
  // Of each row of B^T: the sum of its magnitudes, and its sum. Unused in real algorithms.
  int data_gain[kMostPoints];
  int data_sum[kMostPoints];
  // The power that noise in a weight has in the outputs: the squares of a row of B^T, and of what
  // A^T makes of the point, each summed. Used where weights are quantized to 8 bits.
  double noise[kMostPoints];
  // What A^T multiplies by the point that constant data reaches; all outputs see it alike.
  double constant_factor = 1;
  // Points are the taps themselves: weights stay as they are.
  bool is_direct = false;
};

// 8 points, for 6 outputs of 3 taps, and for 4 outputs of 5 taps; in float only.
extern const Algorithm kF6, kF45;

// What a two-dimensional integer kernel looks like from outside.
struct KernelShape {
  const char* name;
  int rows, columns;  // outputs
  int products;
  int weight_bits;
  int largest_bits;  // codes of up to this many bits stay exact
};

struct KernelAlgorithm {
  const Algorithm *rows, *columns;
  KernelShape shape;
};

const KernelAlgorithm& algorithm_of(IntegerKernel kernel);
const KernelShape& kernel_shape(IntegerKernel kernel);

// G w G^T of one pair of channels. w: (taps, taps); out: (points, points).
void transform(const Algorithm& rows, const Algorithm& columns, const double* w, double* out);

}  // namespace gdq

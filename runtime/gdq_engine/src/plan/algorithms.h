// The fast convolution algorithms: their matrices, and what follows from them. docs/engine.md
// derives them; kernels/transforms.h has B^T and A^T as additions.
#pragma once

#include <vector>

#include "kernels/convolution.h"
#include "kernels/points.h"

namespace gdq {

constexpr int kMostTaps = 5, kMostPoints = 8, kMostInputs = 6, kMostOutputs = 4;

// A one-dimensional algorithm, y = A^T ((G g) . (B^T d)) / output_factor. Real ones have G only,
// and the rest is zero.
struct Algorithm {
  int outputs, points, taps;
  double output_factor;
  double g[kMostPoints][kMostTaps];
  double bt[kMostPoints][kMostInputs];
  double at[kMostOutputs][kMostPoints];
  // Points whose sums kernels/body.h halves, so that A^T needs additions only.
  bool halved[kMostPoints];
  // Points are the taps themselves: weights stay as they are.
  bool is_direct;

  int inputs() const { return outputs + taps - 1; }
  // Of a row of B^T: the sum of its magnitudes, and its sum.
  int data_gain(int point) const;
  int data_sum(int point) const;
  // The power that noise in a weight has in all outputs.
  double noise(int point) const;
  // What A^T multiplies by the point that constant data reaches; all outputs see it alike.
  double constant_factor() const { return is_direct ? 1 : at[0][1]; }
};

// Of real layers: 8 points, for 6 outputs of 3 taps, and for 4 outputs of 5 taps; 6 points, for 4
// outputs of 3 taps.
extern const Algorithm kF6, kF45, kF43;

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

  // In which body layers compute points.
  PointOrder order() const {
    return {rows->halved, columns->halved, rows->points, columns->points};
  }
};

const KernelAlgorithm& algorithm_of(IntegerKernel kernel);
const KernelShape& kernel_shape(IntegerKernel kernel);

// G w G^T of one pair of channels. w: (taps, taps); out: (points, points).
void transform(const Algorithm& rows, const Algorithm& columns, const double* w, double* out);

}  // namespace gdq

// Layers of the body with an end in integers (kernels/body.h): which can be, by what their weights
// prove, and with which numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aligned.h"
#include "kernels/convolution.h"
#include "plan/weights.h"

namespace gdq {

// Weights of a layer, packed, and bounds of what they make of codes within -1..1.
struct BodyWeights {
  AlignedBytes packed;
  IntegerWeights integer;        // without the integers themselves
  std::vector<float> points;     // (3, out): sums of the points that are halved never, once, twice
  std::vector<float> constants;  // (out): sums of the point that constants reach
  std::vector<float> outputs;    // (out): the convolution
};

// shape: of the instruction set that will run them; lanes: of its sums.
BodyWeights pack_body(IntegerKernel kernel, const BodyShape& shape, int out_channels,
                      int in_channels, IntegerWeights weights);

// Sums of `IntegerWeights::scales` in one unit of the convolution.
double output_factor(IntegerKernel kernel);

// What a body layer is at one bit-width, before it is known in which units it writes.
struct BodyProblem {
  IntegerKernel kernel;
  const BodyWeights* weights;
  int bits;                    // of the codes that are read
  std::vector<double> scales;  // (out): the convolution -> real
  std::vector<double> biases;  // (out): real
  int narrowing = 0;
};

// Whether sums are narrowed; else the end is in float.
bool narrows(IntegerKernel kernel);

// The least narrowing at which nothing overflows; none if that is more than there is.
std::optional<int> find_narrowing(const BodyProblem& problem);

// The least step of a stream in which all that a layer adds, and its factors, can be written.
double least_stream_step(const BodyProblem& problem, const BodyShape& shape);

// Where sums begin. biases: (out), whole numbers for the point of constants.
std::vector<int32_t> body_start(IntegerKernel kernel, const BodyShape& shape,
                                const BodyWeights& weights, int narrowing,
                                const std::vector<int32_t>& biases);

// Numbers of a BodyLayer.
struct BodyNumbers {
  std::vector<int32_t> start;
  std::vector<int16_t> factors;        // of layers that narrow their sums
  std::vector<float> scales, addends;  // of others
};

// unit: the step of what is written: a stream, or codes. Empty if its numbers do not fit.
std::optional<BodyNumbers> number_body(const BodyProblem& problem, const BodyShape& shape,
                                       double unit, bool is_codes);

// A factor as kernels multiply by it, a fraction of 2^15; none unless it fits and is precise
// enough.
std::optional<int16_t> fixed_point(double factor);

size_t body_scratch(IntegerKernel kernel, const BodyShape& shape, int in_channels);

}  // namespace gdq

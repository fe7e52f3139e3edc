#include "plan/body.h"

#include <algorithm>
#include <cmath>

namespace gdq {
namespace {

constexpr double kMost = 32767;  // of an int16
// Each narrowed sum is off by half a unit at most, and an output adds as many as 25.
constexpr double kRounding = 13;
constexpr double kMostSum = 2.14e9;  // a little below 2^31
// Of a sum that is the lowest bits of a float of 1.5 * 2^23.
constexpr double kMostMagic = 4.0e6;

int halvings_of(const Algorithm& algorithm, int point) { return algorithm.halved[point] ? 1 : 0; }

// Bounds of one output channel's points and outputs. weights: of its input channels at a point.
class Bounds {
 public:
  Bounds(const KernelAlgorithm& kernel, int in_channels)
      : rows_(*kernel.rows), columns_(*kernel.columns), channels_(in_channels) {}

  template <class Weights>
  float point(int i, int j, Weights&& weights) const {
    double sum = 0;
    for (int ic = 0; ic < channels_; ic++) sum += std::abs(weights(i, j)[ic]);
    return static_cast<float>(sum * rows_.data_gain(i) * columns_.data_gain(j));
  }

  // The largest sum of magnitudes of the filters that one of the outputs is of the inputs.
  template <class Weights>
  float output(Weights&& weights) {
    float most = 0;
    for (int y = 0; y < rows_.outputs; y++) {
      std::vector<float> sums(columns_.outputs, 0.0f);
      for (int d = 0; d < rows_.inputs(); d++) add_row(y, d, weights, sums);
      most = std::max(most, *std::max_element(sums.begin(), sums.end()));
    }
    return static_cast<float>(most / (rows_.output_factor * columns_.output_factor));
  }

 private:
  using Numbers = std::vector<float>;

  void add(double factor, const float* from, Numbers& to) const {
    const auto f = static_cast<float>(factor);
    for (int ic = 0; ic < channels_; ic++) to[ic] += f * from[ic];
  }

  // Adds the magnitudes of the filters from row d of the inputs to row y of the outputs.
  template <class Weights>
  void add_row(int y, int d, Weights&& weights, Numbers& sums) const {
    std::vector<Numbers> half(columns_.points, Numbers(channels_));
    for (int j = 0; j < columns_.points; j++)
      for (int i = 0; i < rows_.points; i++)
        if (const double factor = rows_.at[y][i] * rows_.bt[i][d])
          add(factor, weights(i, j), half[j]);
    Numbers filter(channels_);
    for (int x = 0; x < columns_.outputs; x++)
      for (int e = 0; e < columns_.inputs(); e++) {
        std::fill(filter.begin(), filter.end(), 0.0f);
        for (int j = 0; j < columns_.points; j++)
          if (const double factor = columns_.at[x][j] * columns_.bt[j][e])
            add(factor, half[j].data(), filter);
        for (const float number : filter) sums[x] += std::abs(number);
      }
  }

  const Algorithm &rows_, &columns_;
  const int channels_;
};

void find_bounds(const KernelAlgorithm& kernel, int out_channels, int in_channels,
                 BodyWeights& result) {
  const Algorithm &rows = *kernel.rows, &columns = *kernel.columns;
  Bounds bounds(kernel, in_channels);
  result.points.assign(3 * size_t(out_channels), 0.0f);
  std::vector<float> u(size_t(kernel.shape.products) * in_channels);
  for (int oc = 0; oc < out_channels; oc++) {
    for (int p = 0; p < kernel.shape.products; p++)
      for (int ic = 0; ic < in_channels; ic++)
        u[size_t(p) * in_channels + ic] = static_cast<float>(
            result.integer.integers[(size_t(p) * out_channels + oc) * in_channels + ic]);
    const auto weights = [&](int i, int j) {
      return &u[(size_t(i) * columns.points + j) * in_channels];
    };
    for (int i = 0; i < rows.points; i++)
      for (int j = 0; j < columns.points; j++) {
        const int halvings = halvings_of(rows, i) + halvings_of(columns, j);
        float& most = result.points[size_t(halvings) * out_channels + oc];
        const float bound = bounds.point(i, j, weights);
        most = std::max(most, bound);
        if (kernel.order().is_constant(i * columns.points + j)) result.constants.push_back(bound);
      }
    result.outputs.push_back(bounds.output(weights));
  }
}

// The output channel of a lane of one of a group's vectors.
int group_channel(const BodyShape& shape, int lane) {
  const int lanes = shape.group / 2;
  return body_channel(shape.interleaved, lanes, lane / lanes, lane % lanes);
}

std::vector<int> points_in_order(const PointOrder& order) {
  std::vector<int> points(order.count());
  for (int p = 0; p < order.count(); p++) points[order.slot(p)] = p;
  return points;
}

double reach(const BodyProblem& problem) { return 1 << (problem.bits - 1); }

// The largest real number that a channel can give; transforms in float round a little.
double real_reach(const BodyProblem& problem, size_t oc) {
  return 1.001 * problem.weights->outputs[oc] * reach(problem) * problem.scales[oc] +
         std::abs(problem.biases[oc]);
}

// What one in the sum of the point of constants is in all outputs, real.
double bias_of_one(const BodyProblem& problem, size_t oc) {
  const KernelAlgorithm& kernel = algorithm_of(problem.kernel);
  return problem.scales[oc] / output_factor(problem.kernel) * kernel.rows->constant_factor() *
         kernel.columns->constant_factor();
}

// A channel's bias as a whole number that is added to that sum.
double whole_bias(const BodyProblem& problem, size_t oc) {
  return std::nearbyint(problem.biases[oc] / bias_of_one(problem, oc));
}

bool fits(const BodyProblem& problem, size_t oc, int narrowing) {
  const BodyWeights& weights = *problem.weights;
  const size_t channels = weights.outputs.size();
  const PointOrder order = algorithm_of(problem.kernel).order();
  const double bias = std::abs(whole_bias(problem, oc));
  const auto narrow_enough = [&](double sum, int halvings) {
    return std::ldexp(sum, -narrowing - halvings) + 1 <= kMost && sum <= kMostSum;
  };
  for (int halvings = 0; halvings < 3; halvings++)
    if (!narrow_enough(weights.points[halvings * channels + oc] * reach(problem), halvings))
      return false;
  const double constant = weights.constants[oc] * reach(problem) + bias;
  if (!narrow_enough(constant, order.halvings(order.columns + 1))) return false;
  const double output = weights.outputs[oc] * reach(problem) + bias / output_factor(problem.kernel);
  return std::ldexp(output, -narrowing) + kRounding <= kMost;
}

}  // namespace

namespace {

// Weights of `together` input channels for each lane of a group in turn, point by point.
template <class Element>
void pack_points(const KernelAlgorithm& kernel, const BodyShape& shape, int together,
                 int out_channels, int in_channels, BodyWeights& result) {
  const std::vector<int32_t>& integers = result.integer.integers;
  // Where two int16 lie in the halves of a vector, each half has one of them for its lanes.
  const int block = sizeof(Element) == 2 ? shape.int16_block : 1;
  result.packed = AlignedBytes(integers.size() * sizeof(Element));
  auto* to = result.packed.as<Element>();
  const std::vector<int> points = points_in_order(kernel.order());
  for (int first = 0; first < out_channels; first += shape.group)
    for (const int point : points)
      for (int ic = 0; ic < in_channels; ic += together)
        for (int lane = 0; lane < shape.group; lane += block)
          for (int i = 0; i < together; i++)
            for (int b = 0; b < block; b++) {
              const size_t oc = first + group_channel(shape, lane + b);
              const size_t at = (size_t(point) * out_channels + oc) * in_channels + ic;
              // A block takes one input channel at a time, single lanes all of them.
              to[block > 1 ? i * block + b : i] = static_cast<Element>(integers[at + i]);
              if (i == together - 1 && b == block - 1) to += together * block;
            }
}

// (group, 3 rows, steps of input channels, 3 columns, step).
void pack_direct(const BodyShape& shape, int out_channels, int in_channels, BodyWeights& result) {
  const std::vector<int32_t>& integers = result.integer.integers;
  result.packed = AlignedBytes(integers.size());
  auto* to = result.packed.as<int8_t>();
  for (int first = 0; first < out_channels; first += shape.group)
    for (int y = 0; y < 3; y++)
      for (int k = 0; k < in_channels; k += shape.depth)
        for (int x = 0; x < 3; x++)
          for (int ic = k; ic < k + shape.depth; ic += shape.together)
            for (int lane = 0; lane < shape.group; lane++) {
              const size_t oc = first + group_channel(shape, lane);
              const size_t at = (size_t(y * 3 + x) * out_channels + oc) * in_channels + ic;
              for (int i = 0; i < shape.together; i++)
                *to++ = static_cast<int8_t>(integers[at + i]);
            }
}

}  // namespace

double output_factor(IntegerKernel kernel) {
  const KernelAlgorithm& algorithm = algorithm_of(kernel);
  return algorithm.rows->output_factor * algorithm.columns->output_factor;
}

BodyWeights pack_body(IntegerKernel id, const BodyShape& shape, int out_channels, int in_channels,
                      IntegerWeights weights) {
  const KernelAlgorithm& kernel = algorithm_of(id);
  BodyWeights result;
  result.integer = std::move(weights);
  if (kernel.rows->is_direct)
    pack_direct(shape, out_channels, in_channels, result);
  else if (kernel.shape.weight_bits == 16)
    pack_points<int16_t>(kernel, shape, 2, out_channels, in_channels, result);
  else
    pack_points<int8_t>(kernel, shape, shape.together, out_channels, in_channels, result);
  find_bounds(kernel, out_channels, in_channels, result);
  result.integer.integers = {};
  return result;
}

bool narrows(IntegerKernel kernel) {
  const KernelAlgorithm& algorithm = algorithm_of(kernel);
  return !algorithm.rows->is_direct && algorithm.shape.weight_bits == 8;
}

std::optional<int> find_narrowing(const BodyProblem& problem) {
  if (!narrows(problem.kernel)) return 0;
  int narrowing = 0;
  for (size_t oc = 0; oc < problem.scales.size(); oc++)
    while (!fits(problem, oc, narrowing))
      if (++narrowing > kMostNarrowing) return std::nullopt;
  return narrowing;
}

std::optional<int16_t> fixed_point(double factor) {
  constexpr double kLeast = 128;  // within 0.4 %
  const double number = std::nearbyint(std::ldexp(factor, 15));
  if (!(number >= kLeast && number <= kMost)) return std::nullopt;
  return static_cast<int16_t>(number);
}

double least_stream_step(const BodyProblem& problem, const BodyShape& shape) {
  double least = 0;
  // Without magic, what is too large saturates.
  if (!narrows(problem.kernel) && shape.magic == 0) return 0;
  for (size_t oc = 0; oc < problem.scales.size(); oc++)
    least = std::max(least, narrows(problem.kernel)
                                ? std::ldexp(problem.scales[oc], problem.narrowing) * 32768
                                : real_reach(problem, oc));
  return least / (kMost - 1);
}

std::vector<int32_t> body_start(IntegerKernel kernel, const BodyShape& shape,
                                const BodyWeights& weights, int narrowing,
                                const std::vector<int32_t>& biases) {
  const PointOrder order = algorithm_of(kernel).order();
  const int out_channels = static_cast<int>(biases.size());
  std::vector<int32_t> starts;
  for (int first = 0; first < out_channels; first += shape.group)
    for (const int point : points_in_order(order)) {
      if (!shape.starts_per_point && !order.is_constant(point)) continue;
      const int shift = narrowing + order.halvings(point);
      for (int lane = 0; lane < shape.group; lane++) {
        const int oc = first + group_channel(shape, lane);
        int32_t start = order.is_constant(point) ? biases[oc] : 0;
        if (shape.unsigned_data)
          start -= 128 * weights.integer.sums[size_t(point) * out_channels + oc];
        if (shape.rounds_in_start && shift > 0) start += 1 << (shift - 1);
        starts.push_back(start);
      }
    }
  return starts;
}

namespace {

std::vector<int32_t> whole_biases(const BodyProblem& problem) {
  std::vector<int32_t> biases;
  biases.reserve(problem.scales.size());
  for (size_t oc = 0; oc < problem.scales.size(); oc++)
    biases.push_back(static_cast<int32_t>(whole_bias(problem, oc)));
  return biases;
}

std::optional<BodyNumbers> number_narrowing(const BodyProblem& problem, const BodyShape& shape,
                                            double unit, bool is_codes) {
  BodyNumbers numbers;
  const int shift = problem.narrowing + 15 + (is_codes ? kCodeShift : 0);
  for (const double scale : problem.scales) {
    // A channel that adds nothing to speak of may be imprecise.
    const double factor = std::ldexp(scale / unit, shift);
    if (factor > kMost) return std::nullopt;
    numbers.factors.push_back(static_cast<int16_t>(std::nearbyint(factor)));
  }
  numbers.start =
      body_start(problem.kernel, shape, *problem.weights, problem.narrowing, whole_biases(problem));
  return numbers;
}

// Sums of an algorithm that works in float: the bias is added to the point of constants.
std::optional<BodyNumbers> number_wide(const BodyProblem& problem, const BodyShape& shape,
                                       double unit) {
  BodyNumbers numbers;
  const int out_channels = static_cast<int>(problem.scales.size());
  for (int first = 0; first < out_channels; first += shape.group)
    for (int lane = 0; lane < shape.group; lane++) {
      const int oc = first + group_channel(shape, lane);
      const double bias = problem.biases[oc] / unit;
      // With magic, a fraction of the addend would be lost, and goes into the sums instead.
      const double units = shape.magic == 0 ? bias : std::nearbyint(bias);
      const double sum = std::nearbyint((bias - units) * unit / bias_of_one(problem, oc));
      if (problem.weights->constants[oc] * reach(problem) + std::abs(sum) > kMostSum)
        return std::nullopt;
      numbers.start.push_back(static_cast<int32_t>(sum));
      numbers.scales.push_back(static_cast<float>(problem.scales[oc] / unit));
      numbers.addends.push_back(static_cast<float>(shape.magic + units));
    }
  return numbers;
}

// Sums without a transform. With magic, the addend is so large that its fraction is lost: what is
// missing goes into the sum.
std::optional<BodyNumbers> number_direct(const BodyProblem& problem, const BodyShape& shape,
                                         double unit) {
  BodyNumbers numbers;
  constexpr int32_t kMagicBits = 0x4B400000;
  const int out_channels = static_cast<int>(problem.scales.size());
  for (int first = 0; first < out_channels; first += shape.group)
    for (int lane = 0; lane < shape.group; lane++) {
      const int oc = first + group_channel(shape, lane);
      const auto scale = static_cast<float>(problem.scales[oc] / unit);
      const double exact = shape.magic * (1.0 - scale) + problem.biases[oc] / unit;
      const auto addend = static_cast<float>(exact);
      const double missing = shape.magic == 0 ? 0 : std::nearbyint((exact - addend) / scale);
      const double sum = problem.weights->outputs[oc] * reach(problem) + std::abs(missing);
      if (shape.magic != 0 && !(sum < kMostMagic)) return std::nullopt;
      numbers.start.push_back(static_cast<int32_t>(missing) + (shape.magic == 0 ? 0 : kMagicBits));
      numbers.scales.push_back(scale);
      numbers.addends.push_back(addend);
    }
  return numbers;
}

}  // namespace

std::optional<BodyNumbers> number_body(const BodyProblem& problem, const BodyShape& shape,
                                       double unit, bool is_codes) {
  if (narrows(problem.kernel)) return number_narrowing(problem, shape, unit, is_codes);
  if (shape.magic != 0)
    for (size_t oc = 0; oc < problem.scales.size(); oc++)
      if (real_reach(problem, oc) > (kMost - 1) * unit) return std::nullopt;
  return algorithm_of(problem.kernel).rows->is_direct ? number_direct(problem, shape, unit)
                                                      : number_wide(problem, shape, unit);
}

size_t body_scratch(IntegerKernel kernel, const BodyShape& shape, int in_channels) {
  const size_t products = kernel_shape(kernel).products;
  const size_t element = kernel_shape(kernel).weight_bits / 8;
  const size_t sum = narrows(kernel) ? sizeof(int16_t) : sizeof(int32_t);
  return products * shape.tiles * (size_t(in_channels) * element + size_t(shape.group) * sum) +
         size_t(shape.tiles) * shape.group * 2 * sizeof(int32_t) + 64;
}

}  // namespace gdq

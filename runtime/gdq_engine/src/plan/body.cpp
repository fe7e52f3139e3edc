#include "plan/body.h"

#include <algorithm>
#include <cmath>

namespace gdq {
namespace {

constexpr double kMost = 32767;  // of an int16
// Each narrowed sum is off by half a unit at most, and an output adds as many as 25.
constexpr double kRounding = 13;

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
        most = std::max(most, bounds.point(i, j, weights));
      }
    result.outputs.push_back(bounds.output(weights));
  }
}

// In which a lane of one of a group's vectors holds its output channel.
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

// A channel's bias as a whole number that is added to the point of constants.
double whole_bias(const BodyProblem& problem, size_t oc) {
  return std::nearbyint(problem.biases[oc] / problem.scales[oc] * output_factor(problem.kernel));
}

bool fits(const BodyProblem& problem, size_t oc, int narrowing) {
  const BodyWeights& weights = *problem.weights;
  const size_t channels = weights.outputs.size();
  const PointOrder order = algorithm_of(problem.kernel).order();
  const int constant = order.halvings(order.columns + 1);
  const double bias = std::abs(whole_bias(problem, oc));
  for (int halvings = 0; halvings < 3; halvings++) {
    const double sum = weights.points[halvings * channels + oc] * reach(problem) +
                       (halvings == constant ? bias : 0);
    if (std::ldexp(sum, -narrowing - halvings) + 1 > kMost || sum > 2.0e9) return false;
  }
  const double output = weights.outputs[oc] * reach(problem) + bias / output_factor(problem.kernel);
  return std::ldexp(output, -narrowing) + kRounding <= kMost;
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
  result.packed = AlignedBytes(result.integer.integers.size());
  int8_t* to = result.packed.as<int8_t>();
  const std::vector<int> points = points_in_order(kernel.order());
  for (int first = 0; first < out_channels; first += shape.group)
    for (const int point : points)
      for (int ic = 0; ic < in_channels; ic += 4)
        for (int lane = 0; lane < shape.group; lane++) {
          const size_t oc = first + group_channel(shape, lane);
          const int32_t* from =
              &result.integer.integers[(size_t(point) * out_channels + oc) * in_channels + ic];
          for (int i = 0; i < 4; i++) *to++ = static_cast<int8_t>(from[i]);
        }
  find_bounds(kernel, out_channels, in_channels, result);
  result.integer.integers = {};
  return result;
}

std::optional<int> find_narrowing(const BodyProblem& problem) {
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

double least_stream_step(const BodyProblem& problem) {
  const double largest = *std::max_element(problem.scales.begin(), problem.scales.end());
  return std::ldexp(largest, problem.narrowing) * (32768 / kMost);
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

std::optional<BodyNumbers> number_body(const BodyProblem& problem, const BodyShape& shape,
                                       double unit) {
  const int out_channels = static_cast<int>(problem.scales.size());
  BodyNumbers numbers;
  for (const double scale : problem.scales) {
    // A channel that adds nothing to speak of may be imprecise.
    const double factor = std::ldexp(scale / unit, problem.narrowing + 15);
    if (factor > kMost) return std::nullopt;
    numbers.factors.push_back(static_cast<int16_t>(std::nearbyint(factor)));
  }
  std::vector<int32_t> biases;
  for (int oc = 0; oc < out_channels; oc++)
    biases.push_back(static_cast<int32_t>(whole_bias(problem, oc)));
  numbers.start = body_start(problem.kernel, shape, *problem.weights, problem.narrowing, biases);
  return numbers;
}

size_t body_scratch(IntegerKernel kernel, const BodyShape& shape, int in_channels) {
  const size_t products = kernel_shape(kernel).products;
  return products * shape.tiles * (size_t(in_channels) + size_t(shape.group) * 2) +
         size_t(shape.tiles) * shape.group * 2 * sizeof(int32_t) + 64;
}

}  // namespace gdq

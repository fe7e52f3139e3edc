#include "plan/predictor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "error.h"

namespace gdq {
namespace {

constexpr int kColours = 3, kGranularities = 3;
constexpr int kSmallest = 4;  // sides that still have a coarse granularity
constexpr int kCentre = 128;  // taken from all pixels: smaller numbers
constexpr size_t kLine = 64;

size_t aligned(size_t size) { return (size + kLine - 1) / kLine * kLine; }

std::vector<double> numbers(const Tensor& tensor) {
  return {tensor.floats(), tensor.floats() + tensor.count};
}

}  // namespace

// Sums over step x step pixels, beginning with single pixels, of a tile with zeros around it.
struct Predictor::Image {
  int16_t* pixels;
  ptrdiff_t pitch, count;  // elements
  int height, width;       // of the tile
  int colours;
  int step = 1;
  char* scratch;  // free

  // Each sum takes in those `step` to the right, below, and both.
  void double_step() {
    const ptrdiff_t right = ptrdiff_t{step} * colours, below = step * pitch;
    for (ptrdiff_t i = 0; i < count - below - right; i++)
      pixels[i] = static_cast<int16_t>(pixels[i] + pixels[i + right] + pixels[i + below] +
                                       pixels[i + below + right]);
    step *= 2;
  }
};

Predictor::Predictor(const PredictorRecord& record, const std::vector<Tensor>& tensors,
                     const KernelTable& kernels)
    : kernels_(kernels), record_(record) {
  const auto& mean = record_.mean;
  const bool has_mean = std::any_of(mean.begin(), mean.end(), [](float m) { return m != 0; });
  const int area = record_.kernel * record_.kernel, channels = record_.channels;
  colours_ = kColours + has_mean;
  components_ = 1 + area * colours_;
  padded_ = (components_ + 15) / 16 * 16;
  const auto tensor = [&](int index) -> const Tensor& { return tensors[index]; };
  const float* weights = tensor(record_.head_weights).floats();
  head_.assign(size_t(components_) * channels, 0);
  for (int c = 0; c < channels; c++) {
    double& bias = head_[c];
    bias = tensor(record_.head_bias).floats()[c];
    for (int tap = 0; tap < area; tap++) {
      double* row = &head_[size_t(1 + tap * colours_) * channels + c];
      for (int colour = 0; colour < kColours; colour++) {
        const double weight = weights[(c * kColours + colour) * area + tap];
        row[colour * channels] = weight;
        bias += weight * kCentre;
        if (has_mean) row[kColours * channels] -= weight * mean[colour];
      }
    }
  }
  gate_weights_ = numbers(tensor(record_.gate_weights));
  gate_bias_ = numbers(tensor(record_.gate_bias));
  if (!record_.is_normalized) return;
  norm_weights_ = numbers(tensor(record_.norm_weights));
  norm_biases_ = numbers(tensor(record_.norm_biases));
  const int groups = record_.groups, members = channels / groups;
  for (int i = 1; i < components_; i++)
    for (int j = i; j < components_; j++)
      for (int g = 0; g < groups; g++) {
        double sum = 0;
        for (int c = g * members; c < (g + 1) * members; c++)
          sum += head_[size_t(i) * channels + c] * head_[size_t(j) * channels + c];
        squares_.push_back((i == j ? 1 : 2) * sum / members);
      }
}

size_t Predictor::scratch_bytes(int height, int width) const {
  const size_t border = record_.kernel / 2 * 2;
  const size_t image = (height + border) * (width + border) * colours_ * sizeof(int16_t) + kLine;
  const size_t sums = size_t(padded_) * padded_ * sizeof(int64_t);
  return aligned(image) + aligned(sums) +
         std::max({patch_scratch(padded_), luma_scratch(std::min(height, width)),
                   correlation_scratch(colours_, static_cast<int>(height + border),
                                       static_cast<int>(width + border))});
}

Predictor::Image Predictor::centred(const uint8_t* tile, int height, int width,
                                    char* scratch) const {
  const int border = record_.kernel / 2;
  Image image{};
  image.pixels = reinterpret_cast<int16_t*>(scratch);
  image.pitch = ptrdiff_t{width + 2 * border} * colours_;
  image.count = image.pitch * (height + 2 * border);
  image.height = height;
  image.width = width;
  image.colours = colours_;
  image.scratch = scratch + aligned(image.count * sizeof(int16_t) + kLine);
  for (ptrdiff_t i = 0; i < image.count; i++)
    image.pixels[i] = colours_ > kColours && i % colours_ == kColours ? 0 : -kCentre;
  for (int y = 0; y < height; y++) {
    const uint8_t* from = tile + ptrdiff_t{y} * width * kColours;
    int16_t* to = image.pixels + (y + border) * image.pitch + border * colours_;
    if (colours_ == kColours) {
      for (int i = 0; i < width * kColours; i++) to[i] = static_cast<int16_t>(from[i] - kCentre);
      continue;
    }
    for (int x = 0; x < width; x++, from += kColours, to += colours_) {
      for (int colour = 0; colour < kColours; colour++)
        to[colour] = static_cast<int16_t>(from[colour] - kCentre);
      to[kColours] = 1;
    }
  }
  return image;
}

Predictor::Moments Predictor::moments(const Image& image, bool only_means) const {
  PatchProducts job{};
  job.image = image.pixels;
  job.pitch = image.pitch;
  job.channels = colours_;
  job.kernel = record_.kernel;
  job.rows = image.height / image.step;
  job.columns = image.width / image.step;
  job.step = image.step;
  job.components = padded_;
  job.products = only_means ? 1 : components_;
  job.sums = reinterpret_cast<int64_t*>(image.scratch);
  const size_t size = aligned(size_t(padded_) * padded_ * sizeof(int64_t));
  std::memset(job.sums, 0, size);
  job.scratch = reinterpret_cast<int16_t*>(image.scratch + size);
  const bool correlates =
      image.step == 1 && !only_means && std::min(image.height, image.width) >= record_.kernel;
  (correlates ? kernels_.correlate_patches : kernels_.patch_products)(job);
  // The first component is 1 of each patch, all others are sums of step^2 pixels.
  const double count = double(job.rows) * job.columns, pixels = double(image.step) * image.step;
  Moments moments{};
  for (int i = 0; i < components_; i++)
    moments.means.push_back(double(job.sums[i]) / (i == 0 ? count : count * pixels));
  if (only_means) return moments;
  for (int i = 1; i < components_; i++)
    for (int j = i; j < components_; j++)
      moments.products.push_back(double(job.sums[i * padded_ + j]) / (count * pixels * pixels));
  return moments;
}

Predictor::Numbers Predictor::feature_means(const Moments& moments) const {
  Numbers means(record_.channels);
  for (int i = 0; i < components_; i++)
    for (int c = 0; c < record_.channels; c++)
      means[c] += moments.means[i] * head_[size_t(i) * record_.channels + c];
  return means;
}

void Predictor::normalise(const Moments& moments, const Numbers& pooled, int granularity,
                          double* features) const {
  const int channels = record_.channels, groups = record_.groups, members = channels / groups;
  Numbers variances(groups);
  const double *product = moments.products.data(), *squares = squares_.data();
  for (int i = 1; i < components_; i++)
    for (int j = i; j < components_; j++, squares += groups) {
      const double covariance = *product++ - moments.means[i] * moments.means[j];
      for (int g = 0; g < groups; g++) variances[g] += covariance * squares[g];
    }
  const Numbers means = feature_means(moments);
  for (int g = 0; g < groups; g++) {
    double mean = 0, between = 0;
    for (int c = g * members; c < (g + 1) * members; c++) mean += means[c] / members;
    for (int c = g * members; c < (g + 1) * members; c++)
      between += (means[c] - mean) * (means[c] - mean) / members;
    const double variance = std::max(variances[g], 0.0) + between;
    const double deviation = std::sqrt(variance + record_.epsilon);
    for (int c = g * members; c < (g + 1) * members; c++) {
      const size_t place = size_t(granularity) * channels + c;
      features[c] = (pooled[c] - mean) / deviation * norm_weights_[place] + norm_biases_[place];
    }
  }
}

std::array<float, kOutputs> Predictor::logits(Image image) const {
  std::vector<Moments> all;
  for (int granularity = 0; granularity < kGranularities; granularity++) {
    if (granularity > 0) image.double_step();
    const bool coarse = granularity == kGranularities - 1;
    if (record_.is_normalized || coarse) all.push_back(moments(image, !record_.is_normalized));
  }
  // Pooling keeps whole blocks of 4x4 pixels: the mean is that of the coarse granularity.
  const Numbers pooled = feature_means(all.back());
  Numbers features;
  for (int i = 0; i < kGranularities; i++) {
    features.insert(features.end(), pooled.begin(), pooled.end());
    if (record_.is_normalized)
      normalise(all[i], pooled, i, &features[size_t(i) * record_.channels]);
  }
  std::array<float, kOutputs> logits{};
  for (int i = 0; i < kOutputs; i++) {
    double logit = gate_bias_[i];
    const double* weights = &gate_weights_[i * features.size()];
    for (size_t c = 0; c < features.size(); c++) logit += features[c] * weights[c];
    logits[i] = static_cast<float>(logit);
  }
  return logits;
}

double Predictor::entropy(const uint8_t* tile, int height, int width, char* scratch) const {
  double densities[kBins];
  kernels_.luma_density({tile, ptrdiff_t{width} * kColours, std::min(height, width),
                         reinterpret_cast<int32_t*>(scratch), densities});
  double total = 0, sum = 0;
  for (const double density : densities) total += density;
  for (const double density : densities) sum -= density / total * std::log(density / total);
  return sum;
}

// The largest logit, the first of equal ones; where that is the last, the entropy decides.
int Predictor::decide(const std::array<float, kOutputs>& logits, double entropy) const {
  const auto choice = std::max_element(logits.begin(), logits.end()) - logits.begin();
  if (choice != kOutputs - 1) return record_.gate_bit_widths[choice];
  const auto& thresholds = record_.thresholds;
  return record_.entropy_bit_widths[(entropy > thresholds[0]) + (entropy > thresholds[1])];
}

Prediction Predictor::predict(const uint8_t* tile, int height, int width, char* scratch) const {
  if (height < kSmallest || width < kSmallest)
    throw Error("a tile of " + std::to_string(width) + "x" + std::to_string(height) +
                " pixels is too small for the predictor: sides must be at least " +
                std::to_string(kSmallest) + " pixels long");
  Prediction prediction{};
  prediction.logits = logits(centred(tile, height, width, scratch));
  const double nats = entropy(tile, height, width, scratch);
  prediction.entropy = static_cast<float>(nats);
  prediction.bit_width = decide(prediction.logits, nats);
  return prediction;
}

}  // namespace gdq

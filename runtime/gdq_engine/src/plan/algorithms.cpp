#include "plan/algorithms.h"

#include <algorithm>
#include <cmath>

namespace gdq {
namespace {

const double kRoot3 = std::sqrt(3.0), kRoot21 = std::sqrt(21.0);

// clang-format off
const Algorithm kF2{2, 4, 3, 1,
    {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}},
    {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
    {{1, 1, 1, 0}, {0, 1, -1, -1}}, {}, false};
const Algorithm kK4{4, 7, 3, 2,
    {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {-.5, 0, .5}, {0, 1, 0}, {.5, .5, -.5}, {0, 0, 1}},
    {{1, 0, 0, 0, -1, 0}, {0, 1, 1, 1, 1, 0}, {0, -1, 1, -1, 1, 0}, {0, 1, 1, -1, -1, 0},
     {0, -1, 1, 1, -1, 0}, {0, 1, 0, -1, 0, 0}, {0, -1, 0, 0, 0, 1}},
    {{2, 1, 1, 2, 0, 2, 0}, {0, 1, -1, 0, 1, 2, 0}, {0, 1, 1, -2, 0, -2, 0},
     {0, 1, -1, 0, -1, -2, 2}},
    {false, true, true, false, true, false, false}, false};
// The rows of G have length one, and A^T gives the lengths back.
const double kZero = 1. / 4, kOne = kRoot3 / 6, kTwo = kRoot21 / 24;
const Algorithm kF4{4, 6, 3, 1,
    {{1, 0, 0}, {-1 / kRoot3, -1 / kRoot3, -1 / kRoot3}, {-1 / kRoot3, 1 / kRoot3, -1 / kRoot3},
     {1 / kRoot21, 2 / kRoot21, 4 / kRoot21}, {1 / kRoot21, -2 / kRoot21, 4 / kRoot21},
     {0, 0, 1}},
    {{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0}, {0, -2, -1, 2, 1, 0},
     {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}},
    {{kZero, kOne, kOne, kTwo, kTwo, 0}, {0, kOne, -kOne, 2 * kTwo, -2 * kTwo, 0},
     {0, kOne, kOne, 4 * kTwo, 4 * kTwo, 0}, {0, kOne, -kOne, 8 * kTwo, -8 * kTwo, 1}},
    {}, false};
// No transform: a product for each tap.
const Algorithm kDirect1{1, 3, 3, 1,
    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {{1, 1, 1}}, {}, true};
// clang-format on

template <class Element>
KernelShape shape_of(const char* name, const Algorithm& rows, const Algorithm& columns) {
  constexpr bool narrow = sizeof(Element) == 1;
  int gain = 0;
  for (int i = 0; i < rows.points; i++)
    for (int j = 0; j < columns.points; j++)
      gain = std::max(gain, rows.data_gain(i) * columns.data_gain(j));
  // Centred codes of b bits reach 2^(b-1); their transform must not leave the element.
  int bits = 8;
  while (gain << (bits - 1) > (narrow ? 128 : 32768)) bits--;
  return {name, rows.outputs, columns.outputs, rows.points * columns.points, narrow ? 8 : 16, bits};
}

}  // namespace

int Algorithm::data_gain(int point) const {
  double sum = 0;
  for (const double entry : bt[point]) sum += std::abs(entry);
  return static_cast<int>(sum);
}

int Algorithm::data_sum(int point) const {
  double sum = 0;
  for (const double entry : bt[point]) sum += entry;
  return static_cast<int>(sum);
}

double Algorithm::noise(int point) const {
  double data = 0, out = 0;
  for (const double entry : bt[point]) data += entry * entry;
  for (const auto& row : at) out += row[point] * row[point];
  return data * out / (output_factor * output_factor);
}

// clang-format off
extern const Algorithm kF6{6, 8, 3, 1,
    {{1, 0, 0}, {-2. / 9, -2. / 9, -2. / 9}, {-2. / 9, 2. / 9, -2. / 9},
     {1. / 90, 2. / 90, 4. / 90}, {1. / 90, -2. / 90, 4. / 90},
     {32. / 45, 16. / 45, 8. / 45}, {32. / 45, -16. / 45, 8. / 45}, {0, 0, 1}}, {}, {}, {}, false};
extern const Algorithm kF43{4, 6, 3, 1,
    {{.25, 0, 0}, {-1. / 6, -1. / 6, -1. / 6}, {-1. / 6, 1. / 6, -1. / 6},
     {1. / 24, 2. / 24, 4. / 24}, {1. / 24, -2. / 24, 4. / 24}, {0, 0, 1}}, {}, {}, {}, false};
extern const Algorithm kF45{4, 8, 5, 1,
    {{1, 0, 0, 0, 0}, {-2. / 9, -2. / 9, -2. / 9, -2. / 9, -2. / 9},
     {-2. / 9, 2. / 9, -2. / 9, 2. / 9, -2. / 9},
     {1. / 90, 2. / 90, 4. / 90, 8. / 90, 16. / 90},
     {1. / 90, -2. / 90, 4. / 90, -8. / 90, 16. / 90},
     {32. / 45, 16. / 45, 8. / 45, 4. / 45, 2. / 45},
     {32. / 45, -16. / 45, 8. / 45, -4. / 45, 2. / 45}, {0, 0, 0, 0, 1}}, {}, {}, {}, false};
// clang-format on

const KernelAlgorithm& algorithm_of(IntegerKernel kernel) {
  const Algorithm &Direct = kDirect1, &F2 = kF2, &K4 = kK4, &F4 = kF4;
  static const KernelAlgorithm kernels[] = {
#define GDQ_KERNEL(id, name, rows, columns, element) \
  {&rows, &columns, shape_of<element>(name, rows, columns)},
      GDQ_INTEGER_KERNELS(GDQ_KERNEL)
#undef GDQ_KERNEL
  };
  return kernels[kernel];
}

void transform(const Algorithm& rows, const Algorithm& columns, const double* w, double* out) {
  double half[kMostPoints][kMostTaps];
  for (int i = 0; i < rows.points; i++)
    for (int x = 0; x < columns.taps; x++) {
      half[i][x] = 0;
      for (int y = 0; y < rows.taps; y++) half[i][x] += rows.g[i][y] * w[y * columns.taps + x];
    }
  for (int i = 0; i < rows.points; i++)
    for (int j = 0; j < columns.points; j++) {
      double sum = 0;
      for (int x = 0; x < columns.taps; x++) sum += columns.g[j][x] * half[i][x];
      out[i * columns.points + j] = sum;
    }
}

const KernelShape& kernel_shape(IntegerKernel kernel) { return algorithm_of(kernel).shape; }

}  // namespace gdq

// The transforms of real layers (docs/engine.md): points 0, 1, -1, 2, -2, infinity, and for more
// outputs 1/2 and -1/2 as well.
//
// The input transform comes in groups of points that share sums, each of which reads the inputs
// again: to hold all of it, a processor would need more registers than it has. `d(i)` is input i.
// In half precision, too, nothing overflows: plan/real_weights.cpp scales weights for it.
#pragma once

#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// F(4,3).
template <int Outputs>
struct SixPoints {
  static constexpr int kOutputs = Outputs, kInputs = 6, kPoints = 6;
  static constexpr int kGroups = 4, kFirst[kGroups + 1] = {0, 1, 3, 5, 6}, kLargestGroup = 2;

  template <int Group, class T, class V, class Read>
  static GDQ_INLINE void input(const Read& d, V* v) {
    if constexpr (Group == 0) v[0] = d(0) * T(4) - d(2) * T(5) + d(4);
    if constexpr (Group == 1) {
      const V a = d(4) - d(2) * T(4), b = d(3) - d(1) * T(4);
      v[0] = a + b;
      v[1] = a - b;
    }
    if constexpr (Group == 2) {
      const V a = d(4) - d(2), b = (d(3) - d(1)) * T(2);
      v[0] = a + b;
      v[1] = a - b;
    }
    if constexpr (Group == 3) v[0] = d(1) * T(4) - d(3) * T(5) + d(5);
  }

  template <class T, class V>
  static GDQ_INLINE void output(const V* p, V* y) {
    const V one[2] = {p[1] + p[2], p[1] - p[2]}, two[2] = {p[3] + p[4], p[3] - p[4]};
    y[0] = p[0] + one[0] + two[0];
    unroll<Outputs - 1>([&](auto i) GDQ_ALWAYS {
      constexpr int kPower = decltype(i)::value + 1, kOdd = kPower % 2;
      y[kPower] = one[kOdd] + two[kOdd] * T(1 << kPower);
    });
    y[Outputs - 1] += p[5];
  }
};

// F(6,3) and F(4,5).
template <int Outputs>
struct EightPoints {
  static constexpr int kOutputs = Outputs, kInputs = 8, kPoints = 8;
  static constexpr int kGroups = 5, kFirst[kGroups + 1] = {0, 1, 3, 5, 7, 8}, kLargestGroup = 2;

  template <int Group, class T, class V, class Read>
  static GDQ_INLINE void input(const Read& d, V* v) {
    if constexpr (Group == 0) v[0] = d(0) - d(6) + (d(4) - d(2)) * T(5.25);
    if constexpr (Group == 1) {
      const V a = d(2) + d(6) - d(4) * T(4.25), b = d(1) + d(5) - d(3) * T(4.25);
      v[0] = a + b;
      v[1] = a - b;
    }
    if constexpr (Group == 2) {
      const V a = d(6) + d(2) * T(0.25) - d(4) * T(1.25);
      const V b = d(1) * T(0.5) - d(3) * T(2.5) + d(5) * T(2);
      v[0] = a + b;
      v[1] = a - b;
    }
    if constexpr (Group == 3) {
      const V a = d(6) + d(2) * T(4) - d(4) * T(5);
      const V b = d(1) * T(2) - d(3) * T(2.5) + d(5) * T(0.5);
      v[0] = a + b;
      v[1] = a - b;
    }
    if constexpr (Group == 4) v[0] = d(7) - d(1) + (d(3) - d(5)) * T(5.25);
  }

  template <class T, class V>
  static GDQ_INLINE void output(const V* p, V* y) {
    // Sums and differences of the points of equal magnitude: even powers see one, odd the other.
    const V one[2] = {p[1] + p[2], p[1] - p[2]}, two[2] = {p[3] + p[4], p[3] - p[4]};
    const V half[2] = {p[5] + p[6], p[5] - p[6]};
    y[0] = p[0] + one[0] + two[0] + half[0];
    unroll<Outputs - 1>([&](auto i) GDQ_ALWAYS {
      constexpr int kPower = decltype(i)::value + 1, kOdd = kPower % 2;
      constexpr float kTwo = 1 << kPower;
      y[kPower] = one[kOdd] + two[kOdd] * T(kTwo) + half[kOdd] * T(1 / kTwo);
    });
    y[Outputs - 1] += p[7];
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

// The one-dimensional transforms of fast convolution, y = A^T ((G g) . (B^T d)): B^T and A^T as
// additions. G and the bounds are in plan/algorithms.cpp, derivations in docs/engine.md.
#pragma once

#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// Integer algorithms also come in a form for body.h: `input_group` computes the points of one
// group, which share sums, from `d(i)`, the i-th input; `halved_output` takes sums of which those
// in `kHalved` were halved on the way, and gives the convolution itself.

// F(2,3): 4 products for 2 outputs; points 0, 1, -1, infinity.
struct F2 {
  static constexpr int kOutputs = 2, kInputs = 4, kPoints = 4;
  static constexpr bool kIntegerOutput = true;
  static constexpr int kGroups = 3, kGroupFirst[] = {0, 1, 3, 4};
  static constexpr bool kHalved[] = {false, false, false, false};

  template <int Group, class V, class Input>
  static GDQ_INLINE void input_group(Input&& d, V* v) {
    if constexpr (Group == 0) v[0] = d(0) - d(2);
    if constexpr (Group == 1) {
      const V a = d(1), b = d(2);
      v[0] = a + b;
      v[1] = b - a;
    }
    if constexpr (Group == 2) v[0] = d(1) - d(3);
  }
  template <class V>
  static GDQ_INLINE void halved_output(const V* p, V* y) {
    output(p, y);
  }

  template <class V>
  static GDQ_INLINE void input(const V* d, V* v) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }
  template <class V>
  static GDQ_INLINE void output(const V* p, V* y) {
    y[0] = p[0] + (p[1] + p[2]);
    y[1] = (p[1] - p[2]) - p[3];
  }
};

// K(4,3): 7 products for 4 outputs; moduli x, x-1, x+1, x^2+1, infinity. All of B^T is 0 or +-1,
// which is why 4-bit data still fits 8 bits. Outputs are twice the convolution.
struct K4 {
  static constexpr int kOutputs = 4, kInputs = 6, kPoints = 7;
  static constexpr bool kIntegerOutput = true;
  static constexpr int kGroups = 4, kGroupFirst[] = {0, 1, 3, 6, 7};
  static constexpr bool kHalved[] = {false, true, true, false, true, false, false};

  template <int Group, class V, class Input>
  static GDQ_INLINE void input_group(Input&& d, V* v) {
    if constexpr (Group == 0) v[0] = d(0) - d(4);
    if constexpr (Group == 1) {
      const V a = d(1) + d(3), b = d(2) + d(4);
      v[0] = a + b;
      v[1] = b - a;
    }
    if constexpr (Group == 2) {
      const V c = d(2) - d(4), e = d(1) - d(3);
      v[0] = e + c;
      v[1] = c - e;
      v[2] = e;
    }
    if constexpr (Group == 3) v[0] = d(5) - d(1);
  }
  template <class V>
  static GDQ_INLINE void halved_output(const V* p, V* y) {
    const V even = p[1] + p[2], odd = p[1] - p[2];
    const V t = p[3] + p[5], u = p[4] + p[5];
    y[0] = (p[0] + t) + even;
    y[1] = odd + u;
    y[2] = even - t;
    y[3] = (odd - u) + p[6];
  }

  template <class V>
  static GDQ_INLINE void input(const V* d, V* v) {
    const V a = d[1] + d[3], b = d[2] + d[4], c = d[2] - d[4], e = d[1] - d[3];
    v[0] = d[0] - d[4];
    v[1] = a + b;
    v[2] = b - a;
    v[3] = e + c;
    v[4] = c - e;
    v[5] = e;
    v[6] = d[5] - d[1];
  }
  template <class V>
  static GDQ_INLINE void output(const V* p, V* y) {
    const V even = p[1] + p[2], odd = p[1] - p[2];
    const V t = p[3] + p[5], u = p[4] + p[5] + p[5];
    y[0] = even + (p[0] + t) + (p[0] + t);
    y[1] = odd + u;
    y[2] = even - t - t;
    y[3] = odd - u + p[6] + p[6];
  }
};

// F(4,3): 6 products for 4 outputs; points 0, 1, -1, 2, -2, infinity. The rows of G have length 1,
// so that 16 bits of weights carry as much at each point, and A^T gives their lengths back: it
// works in float.
struct F4 {
  static constexpr int kOutputs = 4, kInputs = 6, kPoints = 6;
  static constexpr bool kIntegerOutput = false;
  static constexpr int kGroups = 4, kGroupFirst[] = {0, 1, 3, 5, 6};
  static constexpr bool kHalved[] = {false, false, false, false, false, false};
  static constexpr float kZero = 0.25f;       // 1 / 4
  static constexpr float kOne = 0.28867513f;  // sqrt(3) / 6
  static constexpr float kTwo = 0.19094065f;  // sqrt(21) / 24

  template <int Group, class V, class Input>
  static GDQ_INLINE void input_group(Input&& d, V* v) {
    if constexpr (Group == 0) {
      const V c = d(2);
      v[0] = (d(0) - c) * 4 - c + d(4);
    }
    if constexpr (Group == 1) {
      const V a = d(4) - d(2) * 4, b = d(3) - d(1) * 4;
      v[0] = a + b;
      v[1] = a - b;
    }
    if constexpr (Group == 2) {
      const V c = d(4) - d(2), e = (d(3) - d(1)) * 2;
      v[0] = c + e;
      v[1] = c - e;
    }
    if constexpr (Group == 3) {
      const V c = d(3);
      v[0] = (d(1) - c) * 4 - c + d(5);
    }
  }

  template <class V>
  static GDQ_INLINE void input(const V* d, V* v) {
    const V a = d[4] - d[2] * 4, b = d[3] - d[1] * 4;
    const V c = d[4] - d[2], e = (d[3] - d[1]) * 2;
    v[0] = d[0] * 4 - d[2] * 5 + d[4];
    v[1] = a + b;
    v[2] = a - b;
    v[3] = c + e;
    v[4] = c - e;
    v[5] = d[1] * 4 - d[3] * 5 + d[5];
  }
  template <class V>
  static GDQ_INLINE void output(const V* p, V* y) {
    const V one = (p[1] + p[2]) * kOne, two = (p[3] + p[4]) * kTwo;
    const V odd_one = (p[1] - p[2]) * kOne, odd_two = (p[3] - p[4]) * kTwo;
    y[0] = p[0] * kZero + one + two;
    y[1] = odd_one + odd_two * 2;
    y[2] = one + two * 4;
    y[3] = odd_one + odd_two * 8 + p[5];
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

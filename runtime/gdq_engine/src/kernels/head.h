// The head: a convolution of the picture, in integers wherever that is faster. Weights keep 16
// bits, so sums are as good as float's; they are exact.
//
// Weights are (out_channels / 16, halves, kernel rows, steps, 16, together): in the order in which
// they are read. Steps run along a row of the kernel, its 3 * kernel bytes as they lie in the
// picture; a step that ends behind it has weights of zero there.
#pragma once

#include "kernels/products.h"
#include "kernels/real.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

template <HeadForm Form>
struct HeadDot;
template <>
struct HeadDot<HeadForm::kBytes> : Dot4 {
  // High byte and low byte of each weight.
  static constexpr int kHalves = 2;
  static GDQ_INLINE int8_t element(uint8_t pixel) { return (int8_t)(pixel ^ 128); }
};
template <>
struct HeadDot<HeadForm::kWords> : Dot2 {
  static constexpr int kHalves = 1;
  static GDQ_INLINE int16_t element(uint8_t pixel) { return pixel; }
};
template <>
struct HeadDot<HeadForm::kFloats> : Dot1 {
  static constexpr int kHalves = 1;
  static GDQ_INLINE float element(uint8_t pixel) { return pixel; }
};

template <HeadForm Form, int Kernel>
struct Head {
  using Dot = HeadDot<Form>;
  using Element = typename Dot::Element;
  using V = typename Dot::SumVector;
  static constexpr int kHalf = Kernel / 2, kLanes = Isa::kLanes;
  static constexpr int kGroups =
      Isa::kGroups * kLanes < kHeadChannels ? Isa::kGroups : kHeadChannels / kLanes;
  static constexpr int kAtOnce = Isa::kTiles / kGroups;
  static constexpr int kPixels = kAtOnce < kHeadPixels ? kAtOnce : kHeadPixels;
  static constexpr int kSteps = head_steps(Form, Kernel), kStepBytes = kHeadChannels * 4;
  static constexpr int kBlockBytes = Dot::kHalves * Kernel * kSteps * kStepBytes;

  // Rows of the picture, each in the place of one that is no longer needed.
  Element* rows;
  ptrdiff_t pitch;

  Element* row(int y) const { return rows + (y + Kernel) % Kernel * pitch; }

  // A picture has no border in memory: it is made here.
  void copy_row(const Convolution& layer, int y) const {
    Element* to = row(y);
    const int count = layer.width * 3;
    if (y < 0 || y >= layer.height) {
      for (int i = 0; i < pitch; i++) to[i] = Dot::element(0);
      return;
    }
    const uint8_t* from = static_cast<const uint8_t*>(layer.source) + y * layer.pitch;
    for (int i = 0; i < kHalf * 3; i++) to[i] = Dot::element(0);
    to += kHalf * 3;
    for (int i = 0; i < count; i++) to[i] = Dot::element(from[i]);
    for (ptrdiff_t i = count; i < pitch - kHalf * 3; i++) to[i] = Dot::element(0);
  }

  // Adds the products with one half of the weights.
  GDQ_INLINE void add_products(const Element* const* data, const char* weights,
                               V (&sums)[kPixels][kGroups]) const {
    for (int y = 0; y < Kernel; y++, weights += kSteps * kStepBytes) {
      typename Dot::Data x[kPixels];
      unroll<kSteps>([&](auto step) GDQ_ALWAYS {
        constexpr int kStep = decltype(step)::value, kLane = kStep % Dot::kSteps;
        if constexpr (kLane == 0)
          unroll<kPixels>([&](auto t) GDQ_ALWAYS {
            x[t] = Dot::read(data[y] + t * 3 + kStep * Dot::kTogether);
          });
        keep_order();
        unroll<kGroups>([&](auto g) GDQ_ALWAYS {
          const char* w = weights + kStep * kStepBytes + g * kLanes * 4;
          unroll<kPixels>([&](auto t) GDQ_ALWAYS {
            sums[t][g] = Dot::template add<kLane>(sums[t][g], w, x[t]);
          });
        });
      });
    }
  }

  // kPixels x kGroups vectors of sums. outputs: (pixels, out_channels).
  GDQ_INLINE void multiply(const Element* const* data, const char* weights, const int32_t* start,
                           float* outputs, ptrdiff_t out_channels) const {
    V sums[kPixels][kGroups] = {};
    for (int half = 0; half < Dot::kHalves; half++) {
      if constexpr (Dot::kHalves == 2)
        if (half == 1)
          for (auto& pixel : sums)
            for (V& sum : pixel) sum = sum << 8;
      add_products(data, weights + half * Kernel * kSteps * kStepBytes, sums);
    }
    unroll<kGroups>([&](auto g) GDQ_ALWAYS {
      V first{};
      if constexpr (Form == HeadForm::kBytes) first = load<V>(start + g * kLanes);
      unroll<kPixels>([&](auto t) GDQ_ALWAYS {
        store(outputs + t * out_channels + g * kLanes,
              __builtin_convertvector(sums[t][g] + first, Isa::F32));
      });
    });
  }

  void run(const Convolution& layer) {
    rows = static_cast<Element*>(layer.scratch);
    const size_t row_bytes = head_row_bytes(Kernel, sizeof(Element), layer.width);
    pitch = row_bytes / sizeof(Element);
    float* outputs =
        reinterpret_cast<float*>(static_cast<char*>(layer.scratch) + Kernel * row_bytes);
    const int channels = layer.out_channels;
    for (int y = -kHalf; y < kHalf; y++) copy_row(layer, y);
    for (int y = 0; y < layer.height; y++) {
      copy_row(layer, y + kHalf);
      for (int x = 0; x < layer.width; x += kHeadPixels) {
        for (int t = 0; t < kHeadPixels; t += kPixels) {
          const Element* data[Kernel];
          for (int i = 0; i < Kernel; i++) data[i] = row(y + i - kHalf) + (x + t) * 3;
          const char* weights = static_cast<const char*>(layer.weights);
          for (int oc = 0; oc < channels; oc += kHeadChannels, weights += kBlockBytes)
            for (int c = 0; c < kHeadChannels; c += kGroups * kLanes)
              multiply(data, weights + c * 4, layer.start + oc + c, outputs + t * channels + oc + c,
                       channels);
        }
        layer.finish(*layer.epilogue, {outputs, 0, channels, y, x, 1, kHeadPixels});
      }
    }
  }
};

template <int Kernel>
void run_head(const Convolution& layer) {
  Head<Isa::kHead, Kernel>{}.run(layer);
}

inline void head(const Convolution& layer) {
  constexpr ConvolutionFunction kRuns[] = {run_head<1>, run_head<3>, run_head<5>, run_head<7>,
                                           run_head<9>};
  kRuns[layer.kernel / 2](layer);
}

}  // namespace GDQ_ISA
}  // namespace gdq

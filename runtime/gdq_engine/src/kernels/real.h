// The kernels of real layers, which read pixels or an int16 stream: head, body end, merged tail.
// Plain data, as convolution.h.
#pragma once

#include <stddef.h>

#include "kernels/convolution.h"

namespace gdq {

// What the head multiplies pixels by (docs/engine.md).
enum class HeadForm {
  kBytes,   // weights of 16 bits as two bytes, pixels less 128 as one
  kWords,   // both as int16
  kFloats,  // both as float
};

struct RealKernels {
  ConvolutionFunction three;           // 3x3 of a stream, F(6x6)
  ConvolutionFunction five;            // 5x5 of a stream, F(4x4)
  ConvolutionFunction direct;          // any side, of a stream
  ConvolutionFunction narrow;          // the same with at most kNarrowChannels outputs
  ConvolutionFunction head;            // any side, of a picture
  ConvolutionFunction border;          // outermost pixels, with weights of 9 places, of a stream
  ConvolutionFunction picture_border;  // the same of a picture
  HeadForm head_form;
};

// Elements that the head multiplies in one step, and the steps that a row of its kernel takes.
constexpr int head_together(HeadForm form) {
  return form == HeadForm::kBytes ? 4 : form == HeadForm::kWords ? 2 : 1;
}
constexpr int head_steps(HeadForm form, int kernel) {
  return (kernel * 3 + head_together(form) - 1) / head_together(form);
}
// Output channels whose weights of the head lie together.
constexpr int kHeadChannels = 16;
// Pixels that the head computes together.
constexpr int kHeadPixels = 16;

// Bytes of one row of pixels as the head reads it: those of the border, and what the last pixels
// that are computed together, and whole vectors, read behind it.
inline size_t head_row_bytes(int kernel, int element, int width) {
  const size_t pixels = size_t(width) + kernel - 1 + kHeadPixels;
  return ((pixels * 3 + 16) * element + 127) / 64 * 64;
}
inline size_t head_scratch(int kernel, int element, int width, int out_channels) {
  return kernel * head_row_bytes(kernel, element, width) +
         kHeadPixels * size_t(out_channels) * sizeof(float);
}

}  // namespace gdq

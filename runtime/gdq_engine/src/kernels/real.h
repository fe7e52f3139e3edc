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
  // The same as `three` and `five` in half precision, both by F(4x4); null: not on this processor.
  ConvolutionFunction three_half = nullptr, five_half = nullptr;
};

// Tiles of a transformed kernel that are computed together, and output channels whose weights lie
// together.
constexpr int kRealTiles = 8, kRealBlock = 16;

// A kernel in half precision reads an int16 stream as multiples of 2^-kHalfShift.
constexpr int kHalfShift = 10;

// Elements of one row of the source as a transformed kernel reads it.
constexpr ptrdiff_t real_band_pitch(int outputs, int inputs, int width, int in_channels) {
  return ((ptrdiff_t)(width + outputs - 1) / outputs * outputs + inputs - outputs) * in_channels;
}

// Bytes of scratch: rows of the source, data and sums of all points, and outputs of one tile.
// points: in one direction; as many as inputs of a tile.
inline size_t real_scratch(int outputs, int points, int element, int width, int in_channels) {
  const size_t products = size_t(points) * points;
  return (points * real_band_pitch(outputs, points, width, in_channels) +
          products * (kRealTiles * size_t(in_channels) + 64 / element) +
          products * kRealTiles * kRealBlock) *
             element +
         size_t(outputs) * outputs * kRealBlock * sizeof(float);
}

// Pixels of the outermost ring that are computed from one copy of what they see.
constexpr int kEdgePixels = 64;

// Elements of that copy. The last pixels that are computed together may see more than there is.
constexpr size_t edge_elements(int kernel, int in_channels) {
  return size_t(kEdgePixels + kernel + kPixelsTogether) * kernel * in_channels;
}
inline size_t border_scratch(int kernel, int in_channels, int out_channels) {
  return (edge_elements(kernel, in_channels) + size_t(kPixelsTogether) * out_channels) *
         sizeof(float);
}

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

// What kernels are told, and the table of them that every instruction set fills. Plain data: the
// same on both sides of the border between ordinary code and code of one instruction set.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/body.h"

namespace gdq {

// What becomes of a convolution's sums: FORMAT.md, section Layer. Maps are given by the address of
// their pixel (0, 0) and the elements from one row to the next; channels are innermost.
struct Epilogue {
  int height, width;    // of the convolution's output, before depth-to-space
  int channels;         // of the convolution's output; a multiple of 16 except for a picture
  const float* scales;  // sums -> units of the stream, or of the codes if there is no stream
  const float* biases;  // the same units
  const float* slopes;  // factor of negative numbers
  const float* gains;   // per channel
  const float* shifts;  // units as above
  int block;            // of depth-to-space (DCR), 1 if there is none
  const int16_t* residual;
  ptrdiff_t residual_pitch;
  float residual_factor;  // units of the residual -> units as above
  int16_t* stream;
  ptrdiff_t stream_pitch;
  int8_t* codes;
  ptrdiff_t codes_pitch;
  float codes_scale;  // units as above -> codes
  float codes_zero;   // added: minus the centre of unsigned codes
  float codes_low, codes_high;
  uint8_t* picture;
  unsigned flags;  // which of these it has: EpilogueFlag
};

// Sums of `rows` x `columns` pixels from (row, column) on; those outside the map are left out.
struct Sums {
  const float* first;
  ptrdiff_t row_pitch, column_pitch;  // floats
  int row, column, rows, columns;
  int channel = 0, channels = 1 << 30;  // the first that is there, and how many at most
};

using EpilogueFunction = void (*)(const Epilogue&, const Sums&);

// Which epilogue is needed: index into the table.
enum EpilogueFlag : unsigned {
  kActivation = 1,  // slopes, gains, shifts
  kResidual = 2,
  kStream = 4,
  kCodes = 8,
  kEpilogues = 16,
};

// One convolution, ready to run.
struct Convolution {
  const void* source;  // pixel (0, 0); int8 codes, or a real map's int16 or float
  ptrdiff_t pitch;     // elements between rows
  int height, width;
  int in_channels;
  int out_channels;      // a multiple of 16: weights of others are padded
  int kernel;            // side; of the direct real kernels
  float step;            // of a real int16 source
  const void* weights;   // as weights.h packs them
  const int32_t* start;  // integer kernels: (products, out_channels), where sums begin
  void* scratch;         // 64-byte aligned, scratch_bytes of it
  EpilogueFunction finish;
  const Epilogue* epilogue;
};

using ConvolutionFunction = void (*)(const Convolution&);

// The integer kernels: algorithm, where its transforms live, and which dot product it needs.
// Adding a line here declares, tests and benchmarks a kernel (docs/engine.md).
//        identifier, name, rows, columns, element
#define GDQ_INTEGER_KERNELS(KERNEL)                      \
  KERNEL(kDirect, "direct_int8", Direct, Direct, int8_t) \
  KERNEL(kF22, "f22_int8", F2, F2, int8_t)               \
  KERNEL(kK42, "k42_int8", K4, F2, int8_t)               \
  KERNEL(kK44, "k44_int8", K4, K4, int8_t)               \
  KERNEL(kF44, "f44_int16", F4, F4, int16_t)

enum IntegerKernel {
#define GDQ_KERNEL(id, name, rows, columns, element) id,
  GDQ_INTEGER_KERNELS(GDQ_KERNEL)
#undef GDQ_KERNEL
      kIntegerKernels
};

// Products of a tile's patches with each other, summed over the patches: what the predictor's gate
// needs. A patch is the number 1 and then kernel x kernel x channels elements of an image.
struct PatchProducts {
  const int16_t* image;  // first element of the first patch, channels innermost
  ptrdiff_t pitch;       // elements between rows
  int channels, kernel;
  int rows, columns, step;  // patches, and pixels from one to the next in each direction
  int components;           // of a patch, rounded up to a multiple of 16
  int products;             // rows of `sums` that are needed; others may be left out
  int16_t* scratch;         // patch_scratch or correlation_scratch bytes, 64-byte aligned
  int64_t* sums;            // (components, components): added, above and on the diagonal
};

using PatchProductsFunction = void (*)(const PatchProducts&);

// Pairs of patches that are multiplied together: an int32 holds the sum of 2 * 240 products of
// sums of 4x4 pixels less 128, which lie within +-2048.
constexpr int kPairsTogether = 240;

// Bytes: the pairs as data and as weights.
inline size_t patch_scratch(int components) {
  return 2 * (size_t(kPairsTogether) * components + 64) * 2 * sizeof(int16_t);
}

// Elements between rows of a plane of correlations.h, and before the first: the widest vector, or
// as far as a patch reaches.
constexpr int kPlaneMargin = 32;
constexpr ptrdiff_t correlation_pitch(int columns) { return columns + kPlaneMargin; }

// Bytes: a plane for each channel of an image of this size, with all that patches need around it.
inline size_t correlation_scratch(int channels, int height, int width) {
  return (size_t(channels) * height * correlation_pitch(width) + 4 * kPlaneMargin) *
         sizeof(int16_t);
}

// The kernel density of a square's luma: FORMAT.md, section Predictor.
struct LumaDensity {
  const uint8_t* pixels;  // RGB
  ptrdiff_t pitch;        // bytes between rows
  int side;
  int32_t* scratch;  // luma_scratch bytes, 64-byte aligned
  double* sums;      // (kBins), written
};

using LumaDensityFunction = void (*)(const LumaDensity&);

constexpr int kBins = 32;
// Cells of luma from the first bin to the last, how many of them a bin sees on either side (8
// sigma), and both together, rounded up.
constexpr int kLumaCells = 50 * (kBins - 1), kCellReach = 320;
constexpr int kCellsAndMargin = (kLumaCells + 1 + 2 * kCellReach + 63) / 64 * 64;

// Bytes: three sums for each cell, as integers and as floats, and a row of lumas.
inline size_t luma_scratch(int side) {
  return 3 * kCellsAndMargin * (sizeof(int64_t) + sizeof(float)) + (size_t(side) + 64) * 4;
}

// Sums over a tile's luma: FORMAT.md, section Sensitivity.
constexpr int kTileStatistics = 9;
constexpr int kStrongEdge = 128;  // gray levels

struct TileSums {
  const uint8_t* pixels;      // RGB
  ptrdiff_t pitch;            // bytes between rows
  int height, width;          // multiples of 4
  const uint8_t* logarithms;  // floor(4 log2(1 + v)) of v up to 4 * 16 * 255
  int16_t* scratch;           // tile_scratch elements
  int64_t* sums;              // (kTileStatistics), written: before the logarithm of a sum
};

using TileSumsFunction = void (*)(const TileSums&);

inline size_t tile_scratch(int height, int width) {
  return size_t(height) * width / 16 * 21 + 2 * size_t(width);
}

struct KernelTable {
  bool unsigned_data;  // dot products of int8 take the data plus 128: `start` takes it out again
  int int16_block;     // weights of int16: output channels between those of two input channels
  int int16_cost;      // of a multiplication of int16, in multiplications of int8
  ConvolutionFunction integer[kIntegerKernels];  // null: not on this instruction set
  BodyShape body;
  // The same with an end in integers; null: there is none.
  BodyFunction body_layers[kIntegerKernels];
  EpilogueFunction epilogues[kEpilogues];
  EpilogueFunction picture;
  PatchProductsFunction patch_products;
  PatchProductsFunction correlate_patches;  // the same of single pixels: correlations.h
  LumaDensityFunction luma_density;
  TileSumsFunction tile_sums;
};

// Tiles of an algorithm that are computed together, a multiple of 8: what they need for all its
// points stays in the second-level cache.
constexpr int kTilesTogether = 24;
// Output channels of `real_narrow`, at most; its weights have as many.
constexpr int kNarrowChannels = 4;
// Pixels that convolutions without a transform compute together.
constexpr int kPixelsTogether = 8;

// Bytes of scratch of a transformed convolution: data and sums of all points, with a cache line
// between points, and the outputs of one tile. element: bytes of the transformed data.
inline size_t transformed_scratch(int products, int outputs, int element, int in_channels,
                                  int out_channels) {
  constexpr size_t tiles = kTilesTogether;
  return products * (tiles * (size_t(in_channels) * element + size_t(out_channels) * 4) + 64) +
         size_t(outputs) * out_channels * sizeof(float);
}

// The same of a convolution by rows: `kernel` rows, rounded up to 64 elements, and the outputs of
// some pixels.
inline size_t direct_scratch(int kernel, int element, int width, int in_channels,
                             int out_channels) {
  return (kernel * (size_t(width) + kernel + kPixelsTogether) * in_channels + 64) * element +
         kPixelsTogether * size_t(out_channels) * sizeof(float);
}

}  // namespace gdq

// A layer of the body from codes to codes: an integer 3x3 convolution and all that follows it, in
// integers. Plain data, the same on both sides of the border between ordinary code and code of one
// instruction set.
//
// Sums over the input channels are narrowed to int16 as soon as they are complete, which halves
// what is stored, loaded and added behind them. plan/body.h proves from the weights that they fit.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace gdq {

// Codes are computed in sixteenths, from narrowed sums as from a stream; where the end is in float,
// and codes may be wide, from a stream in eighths.
constexpr int kCodeShift = 4, kRealCodeShift = 3;
// The largest shift that narrows sums; the points of an algorithm that are halved take up to 2
// more.
constexpr int kMostNarrowing = 6;

struct BodyLayer {
  const int8_t* source;  // pixel (0, 0) of a map with a border
  ptrdiff_t pitch;       // bytes between its rows
  int height, width;
  int in_channels, out_channels;
  const int8_t* weights;  // as plan/body.h packs them
  const int32_t* start;   // where sums begin: of each group, of each point (see `starts_per_point`)
  int narrowing;          // bits that are dropped of sums, before those that are halved
  const int16_t*
      factors;  // (out_channels): narrowed sums -> sixteenths of codes, or the stream; Q15
  // Where the end is in float, instead of `narrowing` and `factors`: sums -> codes or the stream,
  // by the lanes of groups.
  const float *scales, *addends;
  void* scratch;            // 64-byte aligned, BodyShape::scratch bytes of it
  const int16_t* residual;  // of the stream's units
  ptrdiff_t residual_pitch;
  int16_t* stream;  // null: codes are made of the sums themselves
  ptrdiff_t stream_pitch;
  int8_t* codes;  // null: there are none
  ptrdiff_t codes_pitch;
  int16_t codes_factor;  // stream -> sixteenths, or eighths, of codes; Q15
  int8_t codes_low, codes_high;
};

using BodyFunction = void (*)(const BodyLayer&);

// How an instruction set computes such layers.
struct BodyShape {
  int group;              // output channels computed together: out_channels is a multiple of it
  int tiles;              // of an algorithm, computed together
  bool starts_per_point;  // sums begin at (groups, points, group); else all but the constant's
                          // point begin at 0, and `start` is (groups, group)
  bool rounds_in_start;   // half of what narrowing drops is added there
  bool interleaved;       // see body_channel
  float magic;            // see Isa::whole
  int together;           // input channels whose weights lie together for each output channel
  int depth;              // input channels that direct layers take together
  int int16_block;        // see KernelTable
  bool unsigned_data;     // products take the data plus 128: `start` takes it out again
};

// The output channel of a lane of one of the two vectors of a group. Where narrowing two vectors to
// one takes four lanes of each in turn, weights are arranged so that channels come out in order.
constexpr int body_channel(bool interleaved, int lanes, int vector, int lane) {
  return interleaved ? lane / 4 * 8 + vector * 4 + lane % 4 : vector * lanes + lane;
}

}  // namespace gdq

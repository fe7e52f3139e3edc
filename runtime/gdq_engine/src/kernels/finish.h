// What becomes of the sums of a body layer, in int16 and in registers: codes, or a stream and
// codes.
#pragma once

#include "kernels/body.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

// What a layer writes.
enum class End { kCodes, kStream, kStreamAndCodes };

// Where a tile's outputs go: its first pixel, the channels of one group.
struct Target {
  int8_t* codes;
  int16_t* stream;
  const int16_t* residual;
};

// The end of a layer for one group of channels. What is read of the layer is copied first: stores
// of int8_t may alias anything.
template <End kEnd>
struct Finish {
  Isa::I16 factor, codes_factor;
  Isa::Codes codes;

  GDQ_INLINE Finish(const BodyLayer& layer, int channel)
      : factor(load<Isa::I16>(layer.factors + channel)),
        codes_factor(all<Isa::I16>(layer.codes_factor)),
        codes(layer.codes_low, layer.codes_high) {}

  // One pixel.
  GDQ_INLINE void write(Isa::I16 sums, int8_t* to_codes, int16_t* to_stream,
                        const int16_t* residual) const {
    if constexpr (kEnd == End::kCodes) {
      codes.template store<kCodeShift>(to_codes, Isa::scaled(sums, factor));
    } else {
      const auto stream = Isa::scaled_sum(load<Isa::I16>(residual), sums, factor);
      store(to_stream, stream);
      if constexpr (kEnd == End::kStreamAndCodes)
        codes.template store<kCodeShift>(to_codes, Isa::scaled(stream, codes_factor));
    }
  }
};

// The same of sums that become whole numbers in float: of codes, or of the stream's units.
template <End kEnd>
struct RealFinish {
  Isa::F32 scales[2], addends[2];
  Isa::I16 codes_factor;
  Isa::Codes codes;

  GDQ_INLINE RealFinish(const BodyLayer& layer, int channel)
      : scales{load<Isa::F32>(layer.scales + channel),
               load<Isa::F32>(layer.scales + channel + Isa::kLanes)},
        addends{load<Isa::F32>(layer.addends + channel),
                load<Isa::F32>(layer.addends + channel + Isa::kLanes)},
        codes_factor(all<Isa::I16>(layer.codes_factor)),
        codes(layer.codes_low, layer.codes_high) {}

  // The two vectors of a group.
  GDQ_INLINE Isa::I16 scaled(Isa::F32 low, Isa::F32 high) const {
    return Isa::whole(low * scales[0] + addends[0], high * scales[1] + addends[1]);
  }
  GDQ_INLINE void write(Isa::I16 whole, int8_t* to_codes, int16_t* to_stream,
                        const int16_t* residual) const {
    if constexpr (kEnd == End::kCodes) {
      codes.store_whole(to_codes, whole);
    } else {
      const auto stream = Isa::sum(load<Isa::I16>(residual), whole);
      store(to_stream, stream);
      if constexpr (kEnd == End::kStreamAndCodes)
        codes.template store<kRealCodeShift>(to_codes, Isa::scaled(stream, codes_factor));
    }
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

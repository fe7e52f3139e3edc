// The route without a network: what is flat enough is interpolated.
#pragma once

#include <cstdint>

namespace gdq::run {

// Upscales a tile, height x width x 3, by cubic interpolation (Keys, a = -3/4), exactly: sums are
// integers, rounded once. The tile's border is repeated outwards. scale: 1 to 8.
void interpolate(const uint8_t* tile, int height, int width, int scale, uint8_t* picture);

}  // namespace gdq::run

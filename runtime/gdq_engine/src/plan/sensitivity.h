// What few bits would cost a tile, told from its pixels (FORMAT.md, section Sensitivity).
#pragma once

#include <array>
#include <cstdint>

#include "kernels/convolution.h"
#include "model/model.h"

namespace gdq {

using Statistics = std::array<int32_t, kTileStatistics>;
using Heads = std::array<int32_t, kSensitivityHeads>;

// tile: (height, width, 3); side: of the tiles that heads were fitted to. Raises Error if the tile
// is too small or too large.
Statistics tile_statistics(const uint8_t* tile, int height, int width, int side,
                           const KernelTable& kernels);

Heads apply_heads(const SensitivityRecord& record, const Statistics& statistics);

}  // namespace gdq

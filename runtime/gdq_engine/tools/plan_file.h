// How a picture is cut into tiles, and at which width each runs, as a file says.
#pragma once

#include <string>
#include <vector>

#include "ppm.h"

namespace gdq::run {

constexpr int kInterpolated = 0;  // the "bit-width" of a tile that no network runs

// In low-resolution pixels; the tile gives the result those from own_... on, to the ends,
// exclusive.
struct PlannedTile {
  int left, top, own_left, own_top, own_right, own_bottom, bits;
};

struct Plan {
  int side = 0;
  std::vector<PlannedTile> tiles;

  // Of the networks that it needs, ascending.
  std::vector<int> widths() const;
};

// Throws Refusal unless the tiles lie in the picture and what they own covers it once.
Plan read_plan(const std::string& path, const Picture& picture);

}  // namespace gdq::run

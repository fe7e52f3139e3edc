#include "plan_file.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "files.h"
#include "options.h"
#include "refusal.h"

namespace gdq::run {

namespace {

bool lies_within(const PlannedTile& tile, int side, const Picture& picture) {
  const auto holds = [](int start, int own_start, int own_stop, int stop) {
    return start <= own_start && own_start < own_stop && own_stop <= stop;
  };
  // Compared without a sum that could overflow.
  return tile.left >= 0 && tile.top >= 0 && side <= picture.width && side <= picture.height &&
         tile.left <= picture.width - side && tile.top <= picture.height - side &&
         holds(tile.left, tile.own_left, tile.own_right, tile.left + side) &&
         holds(tile.top, tile.own_top, tile.own_bottom, tile.top + side);
}

bool covers_once(const Plan& plan, const Picture& picture) {
  std::vector<bool> owned(static_cast<size_t>(picture.width) * picture.height);
  size_t count = 0;
  for (const PlannedTile& tile : plan.tiles) {
    for (int y = tile.own_top; y < tile.own_bottom; y++) {
      for (int x = tile.own_left; x < tile.own_right; x++) {
        const size_t pixel = static_cast<size_t>(y) * picture.width + x;
        if (owned[pixel]) return false;
        owned[pixel] = true;
        count++;
      }
    }
  }
  return count == owned.size();
}

}  // namespace

std::vector<int> Plan::widths() const {
  std::set<int> found;
  for (const PlannedTile& tile : tiles)
    if (tile.bits != kInterpolated) found.insert(tile.bits);
  return {found.begin(), found.end()};
}

Plan read_plan(const std::string& path, const Picture& picture) {
  std::istringstream lines(read_file(path, "a plan of tiles"));
  std::string line, magic, rest;
  std::getline(lines, line);
  std::istringstream header(line);
  Plan plan;
  int version = 0;
  if (!(header >> magic >> version >> plan.side) || header >> rest || magic != "gdq-plan" ||
      version != 1 || plan.side < 1)
    throw Refusal(path + " does not begin with gdq-plan 1 and the side of its tiles");
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    PlannedTile tile{};
    if (!(words >> tile.left >> tile.top >> tile.own_left >> tile.own_top >> tile.own_right >>
          tile.own_bottom >> tile.bits) ||
        words >> rest || !(is_bit_width(tile.bits) || tile.bits == kInterpolated))
      throw refused_line(path, line, " instead of six whole numbers and 0, 4, 5, 6 or 8 bits");
    if (!lies_within(tile, plan.side, picture))
      throw refused_line(path, line,
                         ", whose tile is outside the picture or owns what it does not hold");
    plan.tiles.push_back(tile);
  }
  if (!covers_once(plan, picture))
    throw Refusal(path + " does not cover each pixel of the picture once");
  return plan;
}

}  // namespace gdq::run

// The folder of golden tiles: what engines must make of them, and how far off they may be.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ppm.h"

namespace gdq::run {

// So large a part of the samples may be more than so many gray levels apart.
struct Bound {
  int levels;
  double share;
};

// Samples by how many gray levels they are apart.
using Differences = std::array<int64_t, 256>;

class GoldenTiles {
 public:
  // Throws Refusal.
  explicit GoldenTiles(std::string folder);

  // At least one, all of one size.
  const std::vector<Picture>& tiles() const { return tiles_; }

  // What engines that read a format must make of each tile at a width: of one tile at least, for
  // a bundle tells it of a few. A picture is `scale` times as large as its tile. Throws Refusal.
  std::vector<std::optional<Picture>> expected(const std::string& format, int bits,
                                               int scale) const;

  // The upscaling factor, by the first of these pictures. Throws Refusal.
  int scale(const std::string& format, int bits) const;

  // Whether differences over all widths keep the bounds of a format. Throws Refusal.
  bool holds(const std::string& format, const Differences& differences) const;

 private:
  std::string path(size_t tile, const std::string& format, int bits) const;
  // The first tile of which something is expected. Throws Refusal.
  size_t first_expected(const std::string& format, int bits) const;

  std::string folder_;
  std::vector<Picture> tiles_;
  std::map<std::string, std::vector<Bound>> bounds_;
};

}  // namespace gdq::run

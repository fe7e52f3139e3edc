#include "golden_tiles.h"

#include <algorithm>
#include <numeric>
#include <sstream>

#include "files.h"
#include "refusal.h"

namespace gdq::run {

namespace {

constexpr int kLargestScale = 8;

std::map<std::string, std::vector<Bound>> read_bounds(const std::string& path) {
  std::map<std::string, std::vector<Bound>> bounds;
  std::istringstream lines(read_file(path, "the bounds of golden tiles"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string format, rest;
    Bound bound{};
    if (!(words >> format >> bound.levels >> bound.share) || words >> rest || bound.levels < 0 ||
        bound.levels > 255 || !(bound.share >= 0 && bound.share <= 1))
      throw refused_line(path, line, " instead of FORMAT LEVELS SHARE");
    bounds[format].push_back(bound);
  }
  return bounds;
}

}  // namespace

GoldenTiles::GoldenTiles(std::string folder)
    : folder_(std::move(folder)), bounds_(read_bounds(folder_ + "/bounds.txt")) {
  for (std::string path = folder_ + "/0.ppm"; tiles_.empty() || file_exists(path);
       path = folder_ + "/" + std::to_string(tiles_.size()) + ".ppm") {
    tiles_.push_back(read_ppm(path));
    if (tiles_.back().width != tiles_[0].width || tiles_.back().height != tiles_[0].height)
      throw Refusal(path + " has another size than the tiles before it");
  }
}

std::vector<std::optional<Picture>> GoldenTiles::expected(const std::string& format, int bits,
                                                          int scale) const {
  std::vector<std::optional<Picture>> pictures(tiles_.size());
  for (size_t tile = first_expected(format, bits); tile < tiles_.size(); tile++) {
    const std::string file = path(tile, format, bits);
    if (!file_exists(file)) continue;
    Picture picture = read_ppm(file);
    if (picture.width != tiles_[0].width * scale || picture.height != tiles_[0].height * scale)
      throw Refusal(file + " is not " + std::to_string(scale) + " times as large as its tile");
    pictures[tile] = std::move(picture);
  }
  return pictures;
}

int GoldenTiles::scale(const std::string& format, int bits) const {
  const std::string file = path(first_expected(format, bits), format, bits);
  const int scale = read_ppm(file).width / tiles_[0].width;
  if (scale < 1 || scale > kLargestScale)
    throw Refusal(file + " is not 1 to 8 times as large as its tile");
  return scale;
}

size_t GoldenTiles::first_expected(const std::string& format, int bits) const {
  for (size_t tile = 0; tile < tiles_.size(); tile++)
    if (file_exists(path(tile, format, bits))) return tile;
  throw Refusal(folder_ + " does not say what a tile becomes at " + std::to_string(bits) +
                " bits: there is no " + path(0, format, bits) + ", nor of another tile");
}

bool GoldenTiles::holds(const std::string& format, const Differences& differences) const {
  const auto bounds = bounds_.find(format);
  if (bounds == bounds_.end())
    throw Refusal(folder_ + "/bounds.txt has no line for the format " + format);
  const auto total = std::accumulate(differences.begin(), differences.end(), int64_t{0});
  return std::all_of(bounds->second.begin(), bounds->second.end(), [&](const Bound& bound) {
    const auto beyond =
        std::accumulate(differences.begin() + bound.levels + 1, differences.end(), int64_t{0});
    return static_cast<double>(beyond) <= bound.share * static_cast<double>(total);
  });
}

std::string GoldenTiles::path(size_t tile, const std::string& format, int bits) const {
  return folder_ + "/" + std::to_string(tile) + "_bits" + std::to_string(bits) + "_" + format +
         ".ppm";
}

}  // namespace gdq::run

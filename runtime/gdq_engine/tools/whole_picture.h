// A picture from array to array: threads that are held to a core each share its tiles.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engines/engine.h"
#include "plan_file.h"
#include "ppm.h"

namespace gdq::run {

// The cores that workers began and ended on.
struct Visit {
  std::vector<int> before, after;
};

class WholePicture {
 public:
  // Throws Refusal.
  WholePicture(const Options& options, const GoldenTiles& golden);

  const Plan& plan() const { return plan_; }

  // Upscales it.
  // workers: threads to start, and what each runs tiles with; cores: one for each.
  // bits: of all tiles; none: as planned, each predicted before. Throws Refusal.
  Visit upscale(const std::vector<std::unique_ptr<Worker>>& workers, const std::vector<int>& cores,
                std::optional<int> bits, int scale, std::vector<uint8_t>& result) const;

  size_t result_size(int scale) const { return picture_.pixels.size() * scale * scale; }

 private:
  void upscale_tile(Worker& worker, const PlannedTile& tile, std::optional<int> bits, int scale,
                    std::vector<uint8_t>& low, std::vector<uint8_t>& high,
                    std::vector<uint8_t>& result) const;
  void cut(const PlannedTile& tile, std::vector<uint8_t>& low) const;
  void stitch(const PlannedTile& tile, int scale, const std::vector<uint8_t>& high,
              std::vector<uint8_t>& result) const;

  Picture picture_;
  Plan plan_;
};

}  // namespace gdq::run

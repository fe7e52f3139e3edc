// Runs a network on tiles of one size; belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "aligned.h"
#include "plan/network.h"
#include "plan/sensitivity.h"

namespace gdq {

class Runner {
 public:
  // Raises Error if the size cannot be run.
  Runner(Network& network, int height, int width);

  // tile: (height, width, 3); picture: (height * scale, width * scale, 3).
  void run(int bit_width, const uint8_t* tile, uint8_t* picture);
  // Raises Error if the model has no predictor or the tile is too small for it.
  Prediction predict(const uint8_t* tile);
  // Raises Error if the model has no sensitivity heads or the tile is too small for them.
  Heads sense(const uint8_t* tile) const;

 private:
  // Memory of values that do not live at the same time: pixels with a border around them.
  struct Map {
    AlignedBytes memory;
    bool is_codes;
    ptrdiff_t pitch;   // elements
    ptrdiff_t origin;  // of pixel (0, 0), elements
    int outside = 0;   // what the border holds: the code of a real zero
  };

  void plan();
  int border(size_t value) const;
  int take_map(const Value& value, int border);
  void set_borders(int width_index);
  void run_body(const Layer& layer, const PreparedLayer& prepared);
  void run_layer(const Layer& layer, const PreparedLayer& prepared, const uint8_t* tile,
                 uint8_t* picture);
  int16_t* stream(int value);
  int8_t* codes(int value);
  ptrdiff_t pitch(int value) const { return maps_[map_of_[value]].pitch; }

  Network& network_;
  const int height_, width_;
  size_t planned_ = 0;  // bytes of maps
  std::vector<Map> maps_;
  std::vector<int> map_of_;  // value -> map
  AlignedBytes scratch_;
};

}  // namespace gdq

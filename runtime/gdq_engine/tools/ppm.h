// Pictures: RGB, 8 bits, row by row, as binary PPM files have them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gdq::run {

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;  // height x width x 3
};

// Reads a P6 file whose largest value is 255, of at most 2^28 pixels. Throws Refusal.
Picture read_ppm(const std::string& path);

}  // namespace gdq::run

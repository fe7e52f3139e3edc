#include "ppm.h"

#include <algorithm>
#include <cctype>

#include "files.h"
#include "refusal.h"

namespace gdq::run {

namespace {

constexpr int64_t kMostPixels = int64_t{1} << 28;

// The number at a position of the header, which moves behind it; -1 if there is none.
int64_t number(const std::string& content, size_t& position) {
  while (
      position < content.size() &&
      (std::isspace(static_cast<unsigned char>(content[position])) || content[position] == '#')) {
    // A comment ends with its line.
    if (content[position] == '#')
      position = std::min(content.find('\n', position), content.size());
    else
      position++;
  }
  int64_t value = -1;
  for (; position < content.size() && content[position] >= '0' && content[position] <= '9';
       position++)  // larger ones are too many pixels in any case
    value = std::min((value < 0 ? 0 : value) * 10 + (content[position] - '0'), kMostPixels + 1);
  return value;
}

}  // namespace

Picture read_ppm(const std::string& path) {
  const std::string content = read_file(path, "a picture");
  const auto refuse = [&](const char* reason) {
    return Refusal(path + " is no picture: " + reason);
  };
  if (content.rfind("P6", 0) != 0) throw refuse("a binary PPM file begins with P6");
  size_t position = 2;
  const int64_t width = number(content, position), height = number(content, position),
                largest = number(content, position);
  if (width < 1 || height < 1 || largest != 255)
    throw refuse("its header needs a width, a height and 255");
  if (width > kMostPixels / height) throw refuse("it has too many pixels");
  const auto size = static_cast<size_t>(width * height * 3);
  position++;  // the one blank behind the header
  if (content.size() < position || content.size() - position != size)
    throw refuse("its size is not what its header says");
  const auto* start = reinterpret_cast<const uint8_t*>(content.data()) + position;
  return {static_cast<int>(width), static_cast<int>(height), {start, start + size}};
}

}  // namespace gdq::run

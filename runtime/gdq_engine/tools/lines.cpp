#include "lines.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace gdq::run {

namespace {

// Bytes of the UTF-8 character that begins here, or 0 if none does: names of files are any bytes.
size_t character(const std::string& text, size_t start) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(start);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xC2 && first < 0xE0 ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  if (length == 0 || start + length > text.size()) return 0;
  for (size_t i = 1; i < length; i++)
    if ((byte(start + i) & 0xC0) != 0x80) return 0;
  const unsigned char second = length > 1 ? byte(start + 1) : 0;
  const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool is_outside = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return is_overlong || is_outside ? 0 : length;
}

}  // namespace

std::string json(const std::string& text) {
  std::string quoted = "\"";
  for (size_t i = 0; i < text.size();) {
    const size_t length = character(text, i);
    if (length == 0) {
      quoted += "\\ufffd";
    } else if (text[i] == '"' || text[i] == '\\') {
      quoted += {'\\', text[i]};
    } else if (static_cast<unsigned char>(text[i]) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(text[i]));
      quoted += escaped;
    } else {
      quoted.append(text, i, length);
    }
    i += length == 0 ? 1 : length;
  }
  return quoted + "\"";
}

std::string json(const char* text) { return json(std::string(text)); }

std::string json(bool truth) { return truth ? "true" : "false"; }

std::string json(int64_t number) { return std::to_string(number); }

std::string json(const Object& object) { return object.text(); }

void Lines::print(const Object& line) {
  const std::string text = line.text() + "\n";
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = write(file_, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      throw UnwritableError(std::string("the results cannot be written: ") + std::strerror(errno));
    done += static_cast<size_t>(written);
  }
  count_++;
}

}  // namespace gdq::run

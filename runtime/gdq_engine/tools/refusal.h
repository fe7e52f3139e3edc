// Something that was asked for cannot be done.
#pragma once

#include <stdexcept>
#include <string>

namespace gdq::run {

// One sentence for the user; engine: the one whose fault it is, if any.
struct Refusal : std::runtime_error {
  explicit Refusal(const std::string& sentence, std::string engine_name = {})
      : std::runtime_error(sentence), engine(std::move(engine_name)) {}

  std::string engine;
};

// A line of a text file is refused; what: how the sentence goes on after it.
inline Refusal refused_line(const std::string& path, const std::string& line, const char* what) {
  return Refusal(path + " has the line '" + line + "'" + what);
}

}  // namespace gdq::run

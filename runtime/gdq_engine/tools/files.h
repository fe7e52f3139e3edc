// Files as a whole.
#pragma once

#include <string>

namespace gdq::run {

bool file_exists(const std::string& path);

// Throws Refusal, which says what it was to be, such as "a tile".
std::string read_file(const std::string& path, const char* what);

}  // namespace gdq::run

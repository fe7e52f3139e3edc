#pragma once

#include <cstdlib>

// A whole number that was typed; 0 if it is none.
inline int whole(const char* text) { return static_cast<int>(std::strtol(text, nullptr, 10)); }

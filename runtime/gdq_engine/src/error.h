#pragma once

#include <stdexcept>

namespace gdq {

// One sentence for the user: what is wrong and, where it helps, what to do.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace gdq

// Engines in turn, round by round: a machine that slows down slows all of them down.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lines.h"
#include "options.h"
#include "whole_picture.h"

namespace gdq::run {

// Something that is timed: an engine, a width and a number of workers.
struct Way {
  std::string engine;
  std::optional<int> bits;  // none: as planned
  int workers;
  std::function<Visit()> run;
};

// Nanoseconds of the monotonic clock.
int64_t now();

// Runs all ways once, untimed, and then in turn until there are enough rounds or `seconds` are
// over. began: `now()` when the program did.
void run_rounds(const std::vector<Way>& ways, const Options& options, int64_t began, Lines& lines);

}  // namespace gdq::run

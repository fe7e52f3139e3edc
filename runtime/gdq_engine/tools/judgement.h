// Golden tiles first: an engine that makes something else of them is not timed.
#pragma once

#include "engines/engine.h"
#include "golden_tiles.h"
#include "lines.h"

namespace gdq::run {

// Runs all tiles at all widths of an engine and prints what came of it. Whether it may be timed.
// Throws Refusal.
bool judge(Engine& engine, const GoldenTiles& golden, Lines& lines);

}  // namespace gdq::run

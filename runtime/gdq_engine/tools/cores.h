// Cores of the processor, and how a thread is held to one.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gdq::run {

// Those that this process may use, ascending.
std::vector<int> usable_cores();

// Whether the machine has a core, whether or not we may use it.
bool core_exists(int core);

// Holds the calling thread to some cores. Why it cannot be held, or nothing.
std::optional<std::string> hold_to(const std::vector<int>& cores);

// The core that the calling thread is on.
int current_core();

// Of a core now, in kHz; nothing if it cannot be read.
std::optional<int64_t> frequency(int core);

// Why the frequency of a core cannot be read, or nothing.
std::optional<std::string> frequency_error(int core);

// The processor's features that matter to kernels of 8 bits, as /proc/cpuinfo names them.
std::vector<std::string> features();

}  // namespace gdq::run

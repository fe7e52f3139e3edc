#include "cores.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "files.h"

namespace gdq::run {

namespace {

const char* const kFeatures[] = {
    "avx2",  "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_int8",  // x86
    "asimd", "asimdrdm", "asimdhp", "asimddp",  "i8mm",        "sve",         "sve2"};     // ARM64

std::string core_folder(int core) { return "/sys/devices/system/cpu/cpu" + std::to_string(core); }

std::string frequency_file(int core) { return core_folder(core) + "/cpufreq/scaling_cur_freq"; }

}  // namespace

std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; core++)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

bool core_exists(int core) {
  const std::vector<int> usable = usable_cores();
  return std::find(usable.begin(), usable.end(), core) != usable.end() ||
         file_exists(core_folder(core));
}

std::optional<std::string> hold_to(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set) == 0) return std::nullopt;
  return std::string(std::strerror(errno));
}

int current_core() { return sched_getcpu(); }

std::optional<int64_t> frequency(int core) {
  std::ifstream file(frequency_file(core));
  int64_t khz = 0;
  if (file >> khz) return khz;
  return std::nullopt;
}

std::optional<std::string> frequency_error(int core) {
  if (frequency(core)) return std::nullopt;
  const std::string path = frequency_file(core);
  FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return path + ": " + std::strerror(errno);
  std::fclose(file);
  return path + " holds no number";
}

std::vector<std::string> features() {
  std::vector<std::string> found;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; found.empty() && std::getline(file, line);) {
    // x86 says "flags", ARM64 "Features"; all cores have the same.
    if (line.rfind("flags", 0) != 0 && line.rfind("Features", 0) != 0) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;)
      if (std::find(std::begin(kFeatures), std::end(kFeatures), word) != std::end(kFeatures))
        found.push_back(word);
  }
  return found;
}

}  // namespace gdq::run

#include "rounds.h"

#include <ctime>

#include "cores.h"

namespace gdq::run {

namespace {

constexpr int64_t kSecond = 1000000000;

int64_t read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

void run_round(const Way& way, int number, int64_t began, Lines& lines) {
  const int64_t start = now(), cpu_start = read_clock(CLOCK_PROCESS_CPUTIME_ID);
  const Visit visit = way.run();
  const int64_t cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu_start, wall = now() - start;
  std::vector<std::optional<int64_t>> khz;
  khz.reserve(visit.after.size());
  for (const int core : visit.after) khz.push_back(frequency(core));
  lines.print(Object()
                  .add("line", "round")
                  .add("round", number)
                  .add("engine", way.engine)
                  .add("bits", way.bits)
                  .add("workers", way.workers)
                  .add("at_ns", start - began)
                  .add("wall_ns", wall)
                  .add("cpu_ns", cpu)
                  .add("cores_before", visit.before)
                  .add("cores_after", visit.after)
                  .add("khz", khz));
}

}  // namespace

int64_t now() { return read_clock(CLOCK_MONOTONIC); }

void run_rounds(const std::vector<Way>& ways, const Options& options, int64_t began, Lines& lines) {
  if (ways.empty()) return;
  for (const Way& way : ways) way.run();
  const int64_t start = now();
  const auto is_over = [&](int done) {
    if (options.rounds && done >= *options.rounds) return true;
    return options.seconds && static_cast<double>(now() - start) >= *options.seconds * kSecond;
  };
  for (int number = 0; number == 0 || !is_over(number); number++)
    for (const Way& way : ways) run_round(way, number, began, lines);
}

}  // namespace gdq::run

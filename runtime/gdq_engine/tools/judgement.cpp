#include "judgement.h"

#include <algorithm>
#include <cstdlib>

#include "sha256.h"

namespace gdq::run {

namespace {

void add_differences(const Picture& expected, const std::vector<uint8_t>& made,
                     Differences& differences) {
  for (size_t i = 0; i < made.size(); i++)
    differences[static_cast<size_t>(std::abs(made[i] - expected.pixels[i]))]++;
}

int64_t count(const std::vector<std::optional<Picture>>& expected) {
  return std::count_if(expected.begin(), expected.end(), [](const auto& one) { return !!one; });
}

Object describe(const Differences& differences) {
  Object counts;
  for (size_t apart = 0; apart < differences.size(); apart++)
    if (differences[apart]) counts.add(std::to_string(apart), differences[apart]);
  return counts;
}

}  // namespace

bool judge(Engine& engine, const GoldenTiles& golden, Lines& lines) {
  const std::unique_ptr<Worker> worker = engine.open_worker();
  std::vector<uint8_t> made(golden.tiles()[0].pixels.size() * engine.scale * engine.scale);
  Differences all{};
  for (const int bits : engine.widths()) {
    // The network in float is held to nothing: the bundle promises what its integers make.
    const bool is_held = bits != kFloat;
    const std::vector<std::optional<Picture>> expected =
        is_held ? golden.expected(engine.format, bits, engine.scale)
                : std::vector<std::optional<Picture>>(golden.tiles().size());
    Differences differences{};
    Sha256 hash;
    for (size_t tile = 0; tile < golden.tiles().size(); tile++) {
      worker->run(bits, golden.tiles()[tile].pixels.data(), made.data());
      hash.add(made.data(), made.size());
      if (const std::optional<Picture>& known = expected[tile])
        add_differences(*known, made, differences);
    }
    for (size_t apart = 0; apart < all.size(); apart++) all[apart] += differences[apart];
    lines.print(Object()
                    .add("line", "golden")
                    .add("engine", engine.name)
                    .add("bits", bits)
                    .add("tiles", count(expected))
                    .add("differences",
                         is_held ? std::optional<Object>(describe(differences)) : std::nullopt)
                    .add("sha256", hash.digest()));
  }
  const bool holds = golden.holds(engine.format, all);
  const Decisions decisions = engine.decide(golden);
  lines.print(Object()
                  .add("line", "judged")
                  .add("engine", engine.name)
                  .add("holds", holds)
                  .add("bit_widths", decisions.bit_widths)
                  .add("sensitivities", decisions.sensitivities));
  return holds;
}

}  // namespace gdq::run

#include "whole_picture.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "cores.h"
#include "interpolation.h"
#include "refusal.h"

namespace gdq::run {

namespace {

constexpr int kChannels = 3;

}  // namespace

WholePicture::WholePicture(const Options& options, const GoldenTiles& golden)
    : picture_(read_ppm(options.picture)), plan_(read_plan(options.plan, picture_)) {
  const Picture& tile = golden.tiles()[0];
  if (plan_.side != tile.width || plan_.side != tile.height)
    throw Refusal(options.plan + " has tiles of " + std::to_string(plan_.side) +
                  " pixels, but golden tiles are " + std::to_string(tile.width) + "x" +
                  std::to_string(tile.height));
}

Visit WholePicture::upscale(const std::vector<std::unique_ptr<Worker>>& workers,
                            const std::vector<int>& cores, std::optional<int> bits, int scale,
                            std::vector<uint8_t>& result) const {
  Visit visit{std::vector<int>(workers.size()), std::vector<int>(workers.size())};
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex failing;
  const auto work = [&](size_t number) {
    hold_to({cores[number]});
    visit.before[number] = current_core();
    try {
      std::vector<uint8_t> low(static_cast<size_t>(plan_.side) * plan_.side * kChannels);
      std::vector<uint8_t> high(low.size() * scale * scale);
      for (size_t i = next++; i < plan_.tiles.size(); i = next++)
        upscale_tile(*workers[number], plan_.tiles[i], bits, scale, low, high, result);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(failing);
      failure = std::current_exception();
      next = plan_.tiles.size();
    }
    visit.after[number] = current_core();
  };
  std::vector<std::thread> threads;
  threads.reserve(workers.size());
  for (size_t number = 0; number < workers.size(); number++) threads.emplace_back(work, number);
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
  return visit;
}

void WholePicture::upscale_tile(Worker& worker, const PlannedTile& tile, std::optional<int> bits,
                                int scale, std::vector<uint8_t>& low, std::vector<uint8_t>& high,
                                std::vector<uint8_t>& result) const {
  cut(tile, low);
  if (!bits) worker.predict(low.data());
  const int width = bits.value_or(tile.bits);
  if (width == kInterpolated)
    interpolate(low.data(), plan_.side, plan_.side, scale, high.data());
  else
    worker.run(width, low.data(), high.data());
  stitch(tile, scale, high, result);
}

void WholePicture::cut(const PlannedTile& tile, std::vector<uint8_t>& low) const {
  const size_t row = static_cast<size_t>(plan_.side) * kChannels;
  for (int y = 0; y < plan_.side; y++)
    std::copy_n(
        &picture_
             .pixels[(static_cast<size_t>(tile.top + y) * picture_.width + tile.left) * kChannels],
        row, &low[y * row]);
}

void WholePicture::stitch(const PlannedTile& tile, int scale, const std::vector<uint8_t>& high,
                          std::vector<uint8_t>& result) const {
  const size_t row = static_cast<size_t>(tile.own_right - tile.own_left) * scale * kChannels;
  const size_t tile_pitch = static_cast<size_t>(plan_.side) * scale * kChannels;
  const size_t pitch = static_cast<size_t>(picture_.width) * scale * kChannels;
  const size_t shift = static_cast<size_t>(tile.own_left - tile.left) * scale * kChannels;
  const size_t left = static_cast<size_t>(tile.own_left) * scale * kChannels;
  for (int y = tile.own_top * scale; y < tile.own_bottom * scale; y++)
    std::copy_n(&high[(y - static_cast<size_t>(tile.top) * scale) * tile_pitch + shift], row,
                &result[y * pitch + left]);
}

}  // namespace gdq::run

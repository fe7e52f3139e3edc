// Libraries beside our engine: which one a file is.
#include "engines/engine.h"
#include "refusal.h"

namespace gdq::run {

bool can_load_libraries() { return false; }

std::unique_ptr<Engine> open_peer(const Peer& peer, const GoldenTiles&, const std::vector<int>&) {
  throw Refusal(peer.library + " cannot be loaded");
}

}  // namespace gdq::run

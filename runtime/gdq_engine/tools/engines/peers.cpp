#include "engines/peers.h"

#include <map>

#include "refusal.h"

namespace gdq::run {

std::vector<std::pair<int, std::string>> model_files(const Peer& peer,
                                                     const std::vector<int>& widths) {
  std::map<int, std::string> files;
  const auto add = [&](int bits, const std::string& path) {
    if (!files.emplace(bits, path).second)
      throw Refusal(peer.library + " has two models of " + std::to_string(bits) + " bits");
  };
  for (const PeerModel& model : peer.models) {
    if (model.bits) add(*model.bits, model.path);
    if (!model.bits && widths.empty())
      throw Refusal("--model " + model.path + " needs its width, as in --model 8=" + model.path +
                    ", or --bits");
    if (!model.bits)
      for (const int bits : widths) add(bits, model.path);
  }
  return {files.begin(), files.end()};
}

std::unique_ptr<Engine> open_peer(const Peer& peer, const GoldenTiles& golden,
                                  const std::vector<int>& widths) {
  const SharedLibrary library(peer.library);
  if (library.find(kOrtEntry) != nullptr) return open_onnxruntime(library, peer, golden, widths);
  if (library.find(kTfliteEntry) != nullptr) return open_tflite(library, peer, golden, widths);
  throw Refusal(peer.library +
                " is a library, but neither ONNX Runtime nor TensorFlow Lite: it has no " +
                kOrtEntry + " and no " + kTfliteEntry);
}

}  // namespace gdq::run

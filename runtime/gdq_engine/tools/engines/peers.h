// Libraries that are measured beside our engine.
#pragma once

#include <memory>

#include "engines/engine.h"
#include "engines/shared_library.h"

namespace gdq::run {

// A file for each width, ascending: those that are named, or one for all of `widths`.
// Throws Refusal if a width has two, or none is named at all.
std::vector<std::pair<int, std::string>> model_files(const Peer& peer,
                                                     const std::vector<int>& widths);

// The functions by which a file is known as ONNX Runtime, or as TensorFlow Lite.
constexpr const char* kOrtEntry = "OrtGetApiBase";
constexpr const char* kTfliteEntry = "TfLiteInterpreterCreate";

// Throws Refusal.
std::unique_ptr<Engine> open_onnxruntime(const SharedLibrary& library, const Peer& peer,
                                         const GoldenTiles& golden, const std::vector<int>& widths);
std::unique_ptr<Engine> open_tflite(const SharedLibrary& library, const Peer& peer,
                                    const GoldenTiles& golden, const std::vector<int>& widths);

}  // namespace gdq::run

// TensorFlow Lite, by now named LiteRT, through the C interface of its interpreter (c_api.h): all
// that it passes around is opaque, so that no structure's layout has to be known. XNNPACK is asked
// for by the library's own entry, because not every build hands it graphs by itself.
#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "engines/peers.h"
#include "engines/tflite_nodes.h"
#include "refusal.h"

namespace gdq::run {

namespace {

constexpr const char* kName = "tflite";
constexpr int kUint8 = 3;  // kTfLiteUInt8
constexpr int kOk = 0;     // kTfLiteOk

using Handle = void*;

// What is said of a model that is refused; it comes in parts.
std::string& complaints() {
  static std::string text;
  return text;
}

void add_complaint(void* /*ours*/, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  complaints() += complaints().empty() ? text : std::string("; ") + text;
  for (char& character : complaints())
    if (character == '\n') character = ' ';
}

// The functions that are called; a library that lacks one is too old.
class Api {
 public:
  explicit Api(const SharedLibrary& library)
      : version(take<const char*()>(library, "TfLiteVersion")),
        model_create(take<Handle(const char*, void (*)(void*, const char*, va_list), void*)>(
            library, "TfLiteModelCreateFromFileWithErrorReporter")),
        options_create(take<Handle()>(library, "TfLiteInterpreterOptionsCreate")),
        options_set_threads(
            take<void(Handle, int32_t)>(library, "TfLiteInterpreterOptionsSetNumThreads")),
        options_set_reporter(take<void(Handle, void (*)(void*, const char*, va_list), void*)>(
            library, "TfLiteInterpreterOptionsSetErrorReporter")),
        options_delete(take<void(Handle)>(library, "TfLiteInterpreterOptionsDelete")),
        interpreter_create(take<Handle(Handle, Handle)>(library, "TfLiteInterpreterCreate")),
        interpreter_delete(take<void(Handle)>(library, "TfLiteInterpreterDelete")),
        signature_count(take<int32_t(Handle)>(library, "TfLiteInterpreterGetSignatureCount")),
        signature_key(
            take<const char*(Handle, int32_t)>(library, "TfLiteInterpreterGetSignatureKey")),
        runner_create(
            take<Handle(Handle, const char*)>(library, "TfLiteInterpreterGetSignatureRunner")),
        runner_delete(take<void(Handle)>(library, "TfLiteSignatureRunnerDelete")),
        runner_allocate(take<int(Handle)>(library, "TfLiteSignatureRunnerAllocateTensors")),
        runner_invoke(take<int(Handle)>(library, "TfLiteSignatureRunnerInvoke")),
        input_count(take<size_t(Handle)>(library, "TfLiteSignatureRunnerGetInputCount")),
        output_count(take<size_t(Handle)>(library, "TfLiteSignatureRunnerGetOutputCount")),
        input_name(
            take<const char*(Handle, int32_t)>(library, "TfLiteSignatureRunnerGetInputName")),
        output_name(
            take<const char*(Handle, int32_t)>(library, "TfLiteSignatureRunnerGetOutputName")),
        input_tensor(
            take<Handle(Handle, const char*)>(library, "TfLiteSignatureRunnerGetInputTensor")),
        output_tensor(
            take<Handle(Handle, const char*)>(library, "TfLiteSignatureRunnerGetOutputTensor")),
        tensor_type(take<int(Handle)>(library, "TfLiteTensorType")),
        tensor_dimensions(take<int32_t(Handle)>(library, "TfLiteTensorNumDims")),
        tensor_dimension(take<int32_t(Handle, int32_t)>(library, "TfLiteTensorDim")),
        copy_in(take<int(Handle, const void*, size_t)>(library, "TfLiteTensorCopyFromBuffer")),
        copy_out(take<int(Handle, void*, size_t)>(library, "TfLiteTensorCopyToBuffer")),
        add_delegate(find<void(Handle, Handle)>(library, "TfLiteInterpreterOptionsAddDelegate")),
        xnnpack_create(find<Handle(const void*)>(library, "TfLiteXNNPackDelegateCreate")),
        xnnpack_delete(find<void(Handle)>(library, "TfLiteXNNPackDelegateDelete")) {}

  bool has_xnnpack() const { return add_delegate && xnnpack_create && xnnpack_delete; }

 private:
  template <class Function>
  static Function* find(const SharedLibrary& library, const char* name) {
    return reinterpret_cast<Function*>(library.find(name));
  }

  template <class Function>
  static Function* take(const SharedLibrary& library, const char* name) {
    Function* const found = find<Function>(library, name);
    if (found == nullptr)
      throw Refusal(library.path() + " is TensorFlow Lite, but has no " + name +
                        ": take the library of 2.16 or newer",
                    kName);
    return found;
  }

 public:
  const char* (*version)();
  Handle (*model_create)(const char*, void (*)(void*, const char*, va_list), void*);
  Handle (*options_create)();
  void (*options_set_threads)(Handle, int32_t);
  void (*options_set_reporter)(Handle, void (*)(void*, const char*, va_list), void*);
  void (*options_delete)(Handle);
  Handle (*interpreter_create)(Handle, Handle);
  void (*interpreter_delete)(Handle);
  int32_t (*signature_count)(Handle);
  const char* (*signature_key)(Handle, int32_t);
  Handle (*runner_create)(Handle, const char*);
  void (*runner_delete)(Handle);
  int (*runner_allocate)(Handle);
  int (*runner_invoke)(Handle);
  size_t (*input_count)(Handle);
  size_t (*output_count)(Handle);
  const char* (*input_name)(Handle, int32_t);
  const char* (*output_name)(Handle, int32_t);
  Handle (*input_tensor)(Handle, const char*);
  Handle (*output_tensor)(Handle, const char*);
  int (*tensor_type)(Handle);
  int32_t (*tensor_dimensions)(Handle);
  int32_t (*tensor_dimension)(Handle, int32_t);
  int (*copy_in)(Handle, const void*, size_t);
  int (*copy_out)(Handle, void*, size_t);
  // Missing where the library was built without them.
  void (*add_delegate)(Handle, Handle);
  Handle (*xnnpack_create)(const void* options);  // none: its defaults, and one thread
  void (*xnnpack_delete)(Handle);
};

struct Model {
  Handle handle;
  std::string path;
};

// The graph of a width in one interpreter.
struct Runner {
  Handle handle, input, output;
};

using Shape = std::vector<int32_t>;

// An interpreter for each file, which one thread at a time may use.
class TfliteWorker : public Worker {
 public:
  // nodes: looks at the graphs, if there is one.
  TfliteWorker(const Api& api, const std::vector<std::pair<int, Model>>& models,
               const Picture& tile, int scale, TfliteNodes* nodes = nullptr)
      : api_(api),
        in_{1, tile.height, tile.width, 3},
        out_{1, tile.height * scale, tile.width * scale, 3},
        nodes_(nodes) {
    for (const auto& [bits, model] : models) runners_.emplace_back(bits, open(bits, model));
  }

  ~TfliteWorker() override {
    for (const auto& [bits, runner] : runners_) api_.runner_delete(runner.handle);
    for (const auto& [model, interpreter] : interpreters_) api_.interpreter_delete(interpreter);
    for (const Handle xnnpack : xnnpacks_) api_.xnnpack_delete(xnnpack);
  }

  TfliteWorker(const TfliteWorker&) = delete;
  TfliteWorker& operator=(const TfliteWorker&) = delete;

  void run(int bits, const uint8_t* tile, uint8_t* picture) override {
    const auto found = std::find_if(runners_.begin(), runners_.end(),
                                    [&](const auto& one) { return one.first == bits; });
    if (found == runners_.end())
      throw Refusal("TensorFlow Lite has no model of " + std::to_string(bits) + " bits", kName);
    const Runner& runner = found->second;
    complaints().clear();
    if (api_.copy_in(runner.input, tile, bytes(in_)) != kOk ||
        api_.runner_invoke(runner.handle) != kOk ||
        api_.copy_out(runner.output, picture, bytes(out_)) != kOk)
      throw refused("a tile of " + std::to_string(bits) + " bits");
  }

  // By width. Needs `nodes`; this worker cannot be relied upon to run afterwards.
  std::vector<Graph> count_nodes() {
    for (const auto& [model, interpreter] : interpreters_) nodes_->look_after(interpreter);
    std::vector<Graph> graphs;
    for (const auto& [bits, runner] : runners_) {
      graphs.push_back({bits, {}, {}, {}, {}});
      if (const auto counted = nodes_->count(runner.input))
        graphs.back() = {bits, {}, counted->nodes, counted->taken, counted->partitions};
    }
    return graphs;
  }

 private:
  static size_t bytes(const Shape& shape) {
    return static_cast<size_t>(shape[1]) * shape[2] * shape[3];
  }

  static Refusal refused(const std::string& place) {
    return Refusal(
        place + ": TensorFlow Lite says: " + (complaints().empty() ? "nothing" : complaints()),
        kName);
  }

  Runner open(int bits, const Model& model) {
    const std::string place = model.path + " (bits" + std::to_string(bits) + ")";
    const Handle interpreter = interpreter_of(model);
    const std::string key = signature(interpreter, bits, model);
    complaints().clear();
    Runner runner{api_.runner_create(interpreter, key.c_str()), nullptr, nullptr};
    if (runner.handle == nullptr) throw refused(place);
    if (api_.runner_allocate(runner.handle) != kOk) {
      api_.runner_delete(runner.handle);
      throw refused(place);
    }
    if (api_.input_count(runner.handle) == 1 && api_.output_count(runner.handle) == 1) {
      runner.input = api_.input_tensor(runner.handle, api_.input_name(runner.handle, 0));
      runner.output = api_.output_tensor(runner.handle, api_.output_name(runner.handle, 0));
    }
    if (runner.output == nullptr || !is(runner.input, in_) || !is(runner.output, out_)) {
      api_.runner_delete(runner.handle);
      throw Refusal(place + " does not make one picture of one tile of " + std::to_string(in_[2]) +
                        "x" + std::to_string(in_[1]) + " pixels, both of bytes",
                    kName);
    }
    return runner;
  }

  Handle interpreter_of(const Model& model) {
    for (const auto& [opened, interpreter] : interpreters_)
      if (opened == model.handle) return interpreter;
    const Handle options = api_.options_create();
    api_.options_set_threads(options, 1);
    api_.options_set_reporter(options, &add_complaint, nullptr);
    if (nodes_ != nullptr) nodes_->look_before(options);
    if (api_.has_xnnpack()) {
      xnnpacks_.push_back(api_.xnnpack_create(nullptr));
      api_.add_delegate(options, xnnpacks_.back());
    }
    complaints().clear();
    const Handle interpreter = api_.interpreter_create(model.handle, options);
    api_.options_delete(options);
    if (interpreter == nullptr) throw refused(model.path);
    interpreters_.emplace_back(model.handle, interpreter);
    return interpreter;
  }

  // As the bundle calls it (docs/bundle.md), or the only one that there is.
  std::string signature(Handle interpreter, int bits, const Model& model) const {
    const std::string wanted = "bits" + std::to_string(bits);
    const int32_t count = api_.signature_count(interpreter);
    std::string names;
    for (int32_t i = 0; i < count; i++) {
      const std::string key = api_.signature_key(interpreter, i);
      if (key == wanted || count == 1) return key;
      names += (i ? ", " : "") + key;
    }
    throw Refusal(model.path + " has no signature " + wanted + ", but " +
                      (count == 0 ? "none at all" : names),
                  kName);
  }

  bool is(Handle tensor, const Shape& shape) const {
    if (api_.tensor_type(tensor) != kUint8 ||
        api_.tensor_dimensions(tensor) != static_cast<int32_t>(shape.size()))
      return false;
    for (size_t i = 0; i < shape.size(); i++)
      if (api_.tensor_dimension(tensor, static_cast<int32_t>(i)) != shape[i]) return false;
    return true;
  }

  const Api& api_;
  Shape in_, out_;
  TfliteNodes* nodes_;
  std::vector<std::pair<Handle, Handle>> interpreters_;  // model, interpreter
  std::vector<Handle> xnnpacks_;                         // one for each interpreter
  std::vector<std::pair<int, Runner>> runners_;
};

class TfliteEngine : public Engine {
 public:
  TfliteEngine(const SharedLibrary& library, const Peer& peer, const GoldenTiles& golden,
               const std::vector<int>& widths)
      : api_(library), tile_(golden.tiles()[0]) {
    name = kName;
    version = api_.version();
    format = "tflite";
    if (peer.accelerator != Accelerator::kCpu)
      throw Refusal(library.path() +
                        " is TensorFlow Lite, which is measured on the CPU only: leave out "
                        "--accelerator nnapi",
                    name);
    for (const auto& [bits, path] : model_files(peer, widths)) {
      if (bits == kFloat)
        throw Refusal("bundles hold no network in float for TensorFlow Lite: leave out " + path,
                      name);
      scale = golden.scale(format, bits);
      models_.emplace_back(bits, open_model(path));
    }
    // Interpreters of their own, so that nothing of ours is in those that are timed.
    TfliteNodes nodes(library);
    graphs = TfliteWorker(api_, models_, tile_, scale, &nodes).count_nodes();
  }

  std::unique_ptr<Worker> open_worker() override {
    return std::make_unique<TfliteWorker>(api_, models_, tile_, scale);
  }

 private:
  Model open_model(const std::string& path) const {
    for (const auto& [bits, model] : models_)
      if (model.path == path) return model;
    complaints().clear();
    const Handle handle = api_.model_create(path.c_str(), &add_complaint, nullptr);
    if (handle == nullptr)
      throw Refusal(
          path + ": TensorFlow Lite says: " + (complaints().empty() ? "nothing" : complaints()),
          name);
    return {handle, path};
  }

  Api api_;
  const Picture& tile_;
  std::vector<std::pair<int, Model>> models_;
};

}  // namespace

std::unique_ptr<Engine> open_tflite(const SharedLibrary& library, const Peer& peer,
                                    const GoldenTiles& golden, const std::vector<int>& widths) {
  return std::make_unique<TfliteEngine>(library, peer, golden, widths);
}

}  // namespace gdq::run

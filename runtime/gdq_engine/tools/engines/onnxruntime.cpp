// ONNX Runtime, through its C interface as onnxruntime_c_api.h documents it. That interface is a
// table of functions which only grows at its end, so that positions hold for all later versions.
#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "engines/peers.h"
#include "refusal.h"

namespace gdq::run {

namespace {

constexpr const char* kName = "onnxruntime";
constexpr uint32_t kApiVersion = 14;  // of ONNX Runtime 1.14, February 2023

// The first two members of OrtApiBase.
struct ApiBase {
  void* const* (*get_api)(uint32_t version);
  const char* (*get_version)();
};

// Positions in OrtApi.
enum Slot {
  kGetErrorMessage = 2,
  kCreateEnvWithCustomLogger = 4,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetSessionLogSeverityLevel = 22,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kSessionGetInputCount = 30,
  kSessionGetOutputCount = 31,
  kSessionGetInputTypeInfo = 33,
  kSessionGetOutputTypeInfo = 34,
  kSessionGetInputName = 36,
  kSessionGetOutputName = 37,
  kCreateTensorWithDataAsOrtValue = 49,
  kCastTypeInfoToTensorInfo = 55,
  kGetTensorElementType = 60,
  kCreateCpuMemoryInfo = 69,
  kGetAllocatorWithDefaultOptions = 78,
  kReleaseStatus = 93,
  kReleaseValue = 96,
  kReleaseTypeInfo = 98,
  kReleaseSessionOptions = 100,
  kAddFreeDimensionOverrideByName = 124,
};

constexpr int kUint8 = 2;      // ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8
constexpr int kInfo = 1;       // ORT_LOGGING_LEVEL_INFO
constexpr int kError = 3;      // ORT_LOGGING_LEVEL_ERROR
constexpr int kAllocator = 0;  // OrtDeviceAllocator
constexpr int kMemory = 0;     // OrtMemTypeDefault

// What the table's functions take and return is opaque.
using Handle = void*;

class Api {
 public:
  explicit Api(const SharedLibrary& library) {
    const auto entry = reinterpret_cast<const ApiBase* (*)()>(library.find(kOrtEntry));
    const ApiBase* base = entry();
    version_ = base->get_version();
    table_ = base->get_api(kApiVersion);
    if (table_ == nullptr)
      throw Refusal(library.path() + " is ONNX Runtime " + version_ + ", and 1.14 is needed",
                    kName);
  }

  const std::string& version() const { return version_; }

  // Calls a function that returns a status. The arguments must have the types of the header.
  template <class... Arguments>
  void call(Slot slot, const std::string& place, Arguments... arguments) const {
    using Function = Handle (*)(Arguments...);
    if (const Handle status = reinterpret_cast<Function>(table_[slot])(arguments...)) {
      const std::string reason =
          reinterpret_cast<const char* (*)(Handle)>(table_[kGetErrorMessage])(status);
      release(kReleaseStatus, status);
      throw Refusal(place + ": ONNX Runtime says: " + one_line(reason), kName);
    }
  }

  void release(Slot slot, Handle handle) const {
    reinterpret_cast<void (*)(Handle)>(table_[slot])(handle);
  }

 private:
  static std::string one_line(std::string text) {
    std::replace_if(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c); }, ' ');
    return text;
  }

  std::string version_;
  void* const* table_ = nullptr;
};

struct Session {
  Handle handle;
  std::string input, output;
};

// What is said while a session is made; it says there which nodes an accelerator takes.
std::string& log() {
  static std::string text;
  return text;
}

void add_to_log(void* /*ours*/, int /*severity*/, const char* /*category*/, const char* /*id*/,
                const char* /*place*/, const char* message) {
  log() += message;
  log() += '\n';
}

std::optional<int> number_behind(const std::string& text, const std::string& words) {
  const size_t found = text.rfind(words);
  if (found == std::string::npos) return std::nullopt;
  return static_cast<int>(std::strtol(text.c_str() + found + words.size(), nullptr, 10));
}

class OrtWorker : public Worker {
 public:
  OrtWorker(const Api& api, const std::vector<std::pair<int, Session>>& sessions,
            const Picture& tile, int scale)
      : api_(api),
        sessions_(sessions),
        shape_{1, tile.height, tile.width, 3},
        result_shape_{1, tile.height * scale, tile.width * scale, 3} {
    api_.call(kCreateCpuMemoryInfo, kName, kAllocator, kMemory, &memory_);
  }

  void run(int bits, const uint8_t* tile, uint8_t* picture) override {
    const auto found = std::find_if(sessions_.begin(), sessions_.end(),
                                    [&](const auto& one) { return one.first == bits; });
    if (found == sessions_.end())
      throw Refusal("ONNX Runtime has no model of " + std::to_string(bits) + " bits", kName);
    const Session& session = found->second;
    const Handle in = tensor(const_cast<uint8_t*>(tile), shape_);
    Handle out = tensor(picture, result_shape_);
    const char* const inputs[] = {session.input.c_str()};
    const char* const outputs[] = {session.output.c_str()};
    const Handle no_options = nullptr;
    api_.call(kRun, "a tile of " + std::to_string(bits) + " bits", session.handle, no_options,
              &inputs[0], &in, size_t{1}, &outputs[0], size_t{1}, &out);
    api_.release(kReleaseValue, in);
    api_.release(kReleaseValue, out);
  }

 private:
  using Shape = std::vector<int64_t>;

  // A tensor over memory of ours.
  Handle tensor(uint8_t* data, const Shape& shape) const {
    Handle value = nullptr;
    const auto size = static_cast<size_t>(shape[1] * shape[2] * shape[3]);
    api_.call(kCreateTensorWithDataAsOrtValue, kName, memory_, static_cast<void*>(data), size,
              shape.data(), shape.size(), kUint8, &value);
    return value;
  }

  const Api& api_;
  const std::vector<std::pair<int, Session>>& sessions_;
  Shape shape_, result_shape_;
  Handle memory_ = nullptr;
};

class OrtEngine : public Engine {
 public:
  OrtEngine(const SharedLibrary& library, const Peer& peer, const GoldenTiles& golden,
            const std::vector<int>& widths)
      : api_(library), tile_(golden.tiles()[0]) {
    const bool wants_nnapi = peer.accelerator == Accelerator::kNnapi;
    name = wants_nnapi ? std::string(kName) + "+nnapi" : kName;
    version = api_.version();
    format = "onnx";
    accelerator_asked = wants_nnapi ? "nnapi" : "cpu";
    Handle environment = nullptr;
    const Handle ours = nullptr;
    api_.call(kCreateEnvWithCustomLogger, kName, &add_to_log, ours, kInfo, "gdq_run", &environment);
    const Handle options = session_options(library, wants_nnapi);
    for (const auto& [bits, path] : model_files(peer, widths)) {
      // In float, the picture is as large as an integer one, of which something is known.
      if (bits != kFloat) scale = golden.scale(format, bits);
      log().clear();
      sessions_.emplace_back(bits, open_session(environment, options, path));
      graphs.push_back({bits,
                        {},
                        number_behind(log(), "number of nodes in the graph: "),
                        number_behind(log(), "number of nodes supported by NNAPI: "),
                        number_behind(log(), "number of partitions supported by NNAPI: ")});
      if (graphs.back().accelerated_nodes.value_or(0) > 0) accelerator_used = "nnapi";
    }
    api_.release(kReleaseSessionOptions, options);
    if (scale == 0)
      throw Refusal(peer.library + " needs a model of 4, 5, 6 or 8 bits beside the one in float",
                    name);
  }

  std::unique_ptr<Worker> open_worker() override {
    return std::make_unique<OrtWorker>(api_, sessions_, tile_, scale);
  }

 private:
  Handle session_options(const SharedLibrary& library, bool wants_nnapi) const {
    Handle options = nullptr;
    api_.call(kCreateSessionOptions, kName, &options);
    api_.call(kSetSessionLogSeverityLevel, kName, options, wants_nnapi ? kInfo : kError);
    api_.call(kSetIntraOpNumThreads, kName, options, 1);
    api_.call(kSetInterOpNumThreads, kName, options, 1);
    // As the runtime does for a bundle's graphs, whose sides are free (docs/bundle.md).
    api_.call(kAddFreeDimensionOverrideByName, kName, options, "height", int64_t{tile_.height});
    api_.call(kAddFreeDimensionOverrideByName, kName, options, "width", int64_t{tile_.width});
    if (wants_nnapi) add_nnapi(library, options);
    return options;
  }

  void add_nnapi(const SharedLibrary& library, Handle options) const {
    constexpr const char* kAdd = "OrtSessionOptionsAppendExecutionProvider_Nnapi";
    const auto add = reinterpret_cast<Handle (*)(Handle, uint32_t)>(library.find(kAdd));
    if (add == nullptr || add(options, 0) != nullptr)
      throw Refusal(library.path() + " was built without NNAPI: leave out --accelerator nnapi",
                    name);
  }

  Session open_session(Handle environment, Handle options, const std::string& path) const {
    Session session{};
    api_.call(kCreateSession, path, environment, path.c_str(), options, &session.handle);
    size_t inputs = 0, outputs = 0;
    api_.call(kSessionGetInputCount, path, session.handle, &inputs);
    api_.call(kSessionGetOutputCount, path, session.handle, &outputs);
    if (inputs != 1 || outputs != 1 ||
        element_type(kSessionGetInputTypeInfo, path, session) != kUint8 ||
        element_type(kSessionGetOutputTypeInfo, path, session) != kUint8)
      throw Refusal(path + " does not make one picture of one tile, both of bytes", name);
    session.input = tensor_name(kSessionGetInputName, path, session);
    session.output = tensor_name(kSessionGetOutputName, path, session);
    return session;
  }

  int element_type(Slot slot, const std::string& path, const Session& session) const {
    Handle type = nullptr, tensor = nullptr;
    int element = 0;
    api_.call(slot, path, session.handle, size_t{0}, &type);
    api_.call(kCastTypeInfoToTensorInfo, path, type, &tensor);
    if (tensor) api_.call(kGetTensorElementType, path, tensor, &element);
    api_.release(kReleaseTypeInfo, type);
    return element;
  }

  // The allocator's copy of a name is left to it: there are two for each session.
  std::string tensor_name(Slot slot, const std::string& path, const Session& session) const {
    Handle allocator = nullptr;
    char* text = nullptr;
    api_.call(kGetAllocatorWithDefaultOptions, path, &allocator);
    api_.call(slot, path, session.handle, size_t{0}, allocator, &text);
    return text;
  }

  Api api_;
  const Picture& tile_;
  std::vector<std::pair<int, Session>> sessions_;
};

}  // namespace

std::unique_ptr<Engine> open_onnxruntime(const SharedLibrary& library, const Peer& peer,
                                         const GoldenTiles& golden,
                                         const std::vector<int>& widths) {
  return std::make_unique<OrtEngine>(library, peer, golden, widths);
}

}  // namespace gdq::run

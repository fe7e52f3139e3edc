#include "engines/tflite_nodes.h"

namespace gdq::run {

namespace {

constexpr int kOk = 0;  // kTfLiteOk
// kTfLiteDelegateFlagsAllowDynamicTensors: without it, no other delegate may follow.
constexpr int64_t kFlags = 1;

template <class Function>
void find(const SharedLibrary& library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(library.find(name));
}

}  // namespace

TfliteNodes::TfliteNodes(const SharedLibrary& library) {
  find(library, "TfLiteOpaqueDelegateCreate", delegate_create_);
  find(library, "TfLiteOpaqueDelegateDelete", delegate_delete_);
  find(library, "TfLiteInterpreterOptionsAddDelegate", add_delegate_);
  find(library, "TfLiteInterpreterModifyGraphWithDelegate", modify_graph_);
  find(library, "TfLiteOpaqueContextGetInputs", inputs_);
  find(library, "TfLiteOpaqueContextGetOpaqueTensor", tensor_);
  find(library, "TfLiteOpaqueContextGetExecutionPlan", plan_);
  find(library, "TfLiteOpaqueContextGetNumNodes", node_count_);
  is_whole_ = delegate_create_ && delegate_delete_ && add_delegate_ && modify_graph_ && inputs_ &&
              tensor_ && plan_ && node_count_;
  if (!is_whole_) return;
  before_delegate_ = create(before_);
  after_delegate_ = create(after_);
}

TfliteNodes::~TfliteNodes() {
  if (before_delegate_) delegate_delete_(before_delegate_);
  if (after_delegate_) delegate_delete_(after_delegate_);
}

TfliteNodes::Handle TfliteNodes::create(Watch& watch) const {
  const Builder builder{&watch, &look, nullptr, nullptr, nullptr, kFlags};
  return delegate_create_(&builder);
}

void TfliteNodes::look_before(void* options) {
  if (is_whole_) add_delegate_(options, before_delegate_);
}

void TfliteNodes::look_after(void* interpreter) {
  if (is_whole_) modify_graph_(interpreter, after_delegate_);
}

// Called for each graph when a delegate of ours is applied; takes no node.
int TfliteNodes::look(Handle context, Handle /*delegate*/, void* data) {
  auto& watch = *static_cast<Watch*>(data);
  const TfliteNodes& nodes = *watch.nodes;
  const int *inputs = nullptr, *plan = nullptr;  // the plan begins with its length
  int input_count = 0;
  Look look{nullptr, 0, 0};
  if (nodes.inputs_(context, &inputs, &input_count) == kOk && input_count > 0 &&
      nodes.plan_(context, &plan) == kOk)
    look = {nodes.tensor_(context, inputs[0]), plan[0],
            static_cast<int>(nodes.node_count_(context))};
  watch.looks.push_back(look);
  return kOk;
}

// Each partition adds one node to the list, and takes the place of its own in the plan.
std::optional<TakenNodes> TfliteNodes::count(const void* input) const {
  if (before_.looks.size() != after_.looks.size()) return std::nullopt;
  for (size_t i = 0; i < after_.looks.size(); i++) {
    const Look &before = before_.looks[i], &after = after_.looks[i];
    if (input == nullptr || after.input != input) continue;
    const int partitions = after.all - before.all;
    return TakenNodes{before.planned, before.planned - after.planned + partitions, partitions};
  }
  return std::nullopt;
}

}  // namespace gdq::run

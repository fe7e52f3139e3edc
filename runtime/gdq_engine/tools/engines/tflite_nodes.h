// How many nodes of its graphs TensorFlow Lite hands to delegates, such as XNNPACK.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engines/shared_library.h"

namespace gdq::run {

struct TakenNodes {
  int nodes;       // of the graph, as it is in the file
  int taken;       // of them, by delegates
  int partitions;  // that they were taken in
};

// Looks at all graphs of an interpreter before and after delegates are applied to them, through
// two delegates of its own, which take nothing. Has to live longer than the interpreter.
class TfliteNodes {
 public:
  explicit TfliteNodes(const SharedLibrary& library);
  ~TfliteNodes();

  TfliteNodes(const TfliteNodes&) = delete;
  TfliteNodes& operator=(const TfliteNodes&) = delete;

  // options: of an interpreter that will be made.
  void look_before(void* options);
  // interpreter: made with these options, by now with all its delegates.
  void look_after(void* interpreter);

  // input: the first input of a graph. Nothing, where the library lacks a function for this.
  std::optional<TakenNodes> count(const void* input) const;

 private:
  using Handle = void*;

  // A graph at a moment.
  struct Look {
    const void* input;
    int planned;  // nodes that are run
    int all;      // and those that stay in the list after others have taken their place
  };

  // What a delegate of ours sees, graph by graph.
  struct Watch {
    const TfliteNodes* nodes;
    std::vector<Look> looks;
  };

  // Fields of TfLiteOpaqueDelegateBuilder.
  struct Builder {
    void* data;
    int (*prepare)(Handle context, Handle delegate, void* data);
    void *copy_from, *copy_to, *free_buffer;
    int64_t flags;
  };

  static int look(Handle context, Handle delegate, void* data);
  Handle create(Watch& watch) const;

  void* (*delegate_create_)(const Builder*);
  void (*delegate_delete_)(Handle);
  void (*add_delegate_)(Handle options, Handle delegate);
  int (*modify_graph_)(Handle interpreter, Handle delegate);
  int (*inputs_)(Handle context, const int** tensors, int* count);
  Handle (*tensor_)(Handle context, int number);
  int (*plan_)(Handle context, const int** plan);
  size_t (*node_count_)(Handle context);
  bool is_whole_;  // none of the functions is missing
  Watch before_{this, {}}, after_{this, {}};
  Handle before_delegate_ = nullptr, after_delegate_ = nullptr;
};

}  // namespace gdq::run

#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace gdq {

// Memory that begins at a cache line, zeroed, with a line to spare behind it: vectors may read past
// the end of what they need.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(size_t size) : size_(size) {
    const size_t rounded = (size + 2 * kLine - 1) / kLine * kLine;
    memory_.reset(static_cast<std::byte*>(::operator new(rounded, std::align_val_t{kLine})));
    std::memset(memory_.get(), 0, rounded);
  }

  template <class T>
  T* as() {
    return reinterpret_cast<T*>(memory_.get());
  }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(memory_.get());
  }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kLine = 64;
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{kLine}); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  size_t size_ = 0;
};

}  // namespace gdq

// JSON lines on standard output: each is written as a whole, or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace gdq::run {

std::string json(const std::string& text);
std::string json(const char* text);
std::string json(bool truth);
std::string json(int64_t number);
inline std::string json(int number) { return json(int64_t{number}); }
class Object;
std::string json(const Object& object);
// Declared before either is defined, so that each finds the other.
template <class T>
std::string json(const std::optional<T>& value);
template <class T>
std::string json(const std::vector<T>& values);

template <class T>
std::string json(const std::optional<T>& value) {
  return value ? json(*value) : "null";
}

template <class T>
std::string json(const std::vector<T>& values) {
  std::string list;
  for (const T& value : values) list += (list.empty() ? "" : ",") + json(value);
  return "[" + list + "]";
}

// Members in the order in which they were added.
class Object {
 public:
  template <class T>
  Object& add(const std::string& key, const T& value) {
    members_ += (members_.empty() ? "" : ",") + json(key) + ":" + json(value);
    return *this;
  }
  std::string text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

// Nobody can be told of it but on standard error.
struct UnwritableError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Counts what it writes, so that a reader can tell whether a line was lost.
class Lines {
 public:
  // The file descriptor to write to.
  explicit Lines(int file) : file_(file) {}

  // Throws UnwritableError, for example on a full disk.
  void print(const Object& line);
  int64_t count() const { return count_; }

 private:
  int file_;
  int64_t count_ = 0;
};

}  // namespace gdq::run

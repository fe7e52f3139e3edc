// A library that is loaded while we run, by its C interface.
#pragma once

#include <string>

namespace gdq::run {

// Never unloaded: libraries leave threads and handlers behind.
class SharedLibrary {
 public:
  // Throws Refusal.
  explicit SharedLibrary(std::string path);

  // A function, or nullptr.
  void* find(const char* name) const;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  void* handle_;
};

}  // namespace gdq::run

#include "files.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "refusal.h"

namespace gdq::run {

bool file_exists(const std::string& path) {
  struct stat found{};
  return stat(path.c_str(), &found) == 0;
}

std::string read_file(const std::string& path, const char* what) {
  const auto fail = [&](const char* reason) -> Refusal {
    return Refusal(path + ", " + what + ", cannot be read: " + reason);
  };
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) throw fail(std::strerror(errno));
  std::string content;
  char block[1 << 16];
  size_t read = sizeof block;
  while (read == sizeof block) {  // less: the end, or an error
    read = std::fread(block, 1, sizeof block, file.get());
    content.append(block, read);
  }
  if (std::ferror(file.get())) throw fail(std::strerror(errno));
  return content;
}

}  // namespace gdq::run

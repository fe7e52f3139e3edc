#include "engines/shared_library.h"

#include <dlfcn.h>

#include "engines/engine.h"
#include "files.h"
#include "refusal.h"

namespace gdq::run {

// The stub in statically linked programs knows not even the program itself.
bool can_load_libraries() { return dlopen(nullptr, RTLD_NOW) != nullptr; }

SharedLibrary::SharedLibrary(std::string path) : path_(std::move(path)) {
  if (!can_load_libraries())
    throw Refusal("this gdq_run is linked statically and cannot load " + path_ +
                  ": take one that is not (docs/gdq_run.md, \"How to get one\")");
  if (!file_exists(path_)) throw Refusal(path_ + " does not exist");
  // Without a slash, only the system's folders would be searched.
  const std::string place = path_.find('/') == std::string::npos ? "./" + path_ : path_;
  handle_ = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    const char* reason = dlerror();
    throw Refusal(path_ + " cannot be loaded: " + (reason ? reason : "no reason is given"));
  }
}

void* SharedLibrary::find(const char* name) const { return dlsym(handle_, name); }

}  // namespace gdq::run

// What stands behind the C interface: its handles, and how failures cross it.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "gdq_engine.h"
#include "plan/network.h"
#include "plan/runner.h"

struct gdq_model {
  gdq::Network network;
};

struct gdq_runner {
  gdq::Runner runner;
};

namespace gdq {

constexpr int32_t kFailed = -1;

// Why the calling thread's last call failed.
std::string& last_error();

// Runs `body`, which may throw; on failure remembers why and returns `failed`.
template <class Result, class Body>
Result guarded(Result failed, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    last_error() = "there is not enough memory";
  } catch (const std::exception& error) {
    last_error() = error.what();
  } catch (...) {
    last_error() = "an unknown error occurred";
  }
  return failed;
}

}  // namespace gdq

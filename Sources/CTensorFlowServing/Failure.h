#pragma once

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "include/CTensorFlowServing.h"

namespace tfs {

// The status codes this shim reports itself.
enum Code : int32_t {
  kOK = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
};

// What our own code throws; `guarded` turns it into a tfs_error.
class Failure : public std::exception {
 public:
  Failure(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  Code code() const { return code_; }
  const char *what() const noexcept override { return message_.c_str(); }

 private:
  Code code_;
  std::string message_;
};

// Runs a function's body so that no exception crosses into C: failure is in `error`, and the result
// is then the type's zero.
template <typename Body>
auto guarded(tfs_error *error, Body body) noexcept -> decltype(body()) {
  *error = {};
  try {
    return body();
  } catch (const Failure &failure) {
    *error = {failure.code(), strdup(failure.what())};
  } catch (const std::bad_alloc &) {
    *error = {kResourceExhausted, strdup("out of memory")};
  } catch (const std::exception &exception) {
    *error = {kInternal, strdup(exception.what())};
  } catch (...) {
    *error = {kUnknown, strdup("unknown C++ exception")};
  }
  return {};
}

}  // namespace tfs

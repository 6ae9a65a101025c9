#include "Quiet.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <cstdio>
#include <cstring>

namespace {

void printAssertions(gpr_log_func_args *args) {
  if (strcasestr(args->message, "assertion failed") == nullptr) return;
  std::fprintf(stderr, "%s:%d: %s\n", args->file, args->line, args->message);
}

}  // namespace

void tfs::quietLibraries() {
  static const bool done = [] {
    google::protobuf::SetLogHandler(nullptr);
    gpr_log_verbosity_init();
    if (gpr_should_log(GPR_LOG_SEVERITY_INFO) == 0) gpr_set_log_function(printAssertions);
    return true;
  }();
  static_cast<void>(done);
}

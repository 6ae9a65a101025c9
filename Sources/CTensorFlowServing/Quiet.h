#pragma once

namespace tfs {

// Keeps gRPC and protobuf from writing to standard error: what goes wrong reaches callers as
// errors. Failed assertions are still printed, and everything when GRPC_VERBOSITY asks for it.
// Cheap to call again.
void quietLibraries();

}  // namespace tfs

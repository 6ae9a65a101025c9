#pragma once

#include "Message.h"
#include "Quiet.h"

namespace tfs {

// A message read by protobuf, which wants it in one piece; throws if it is larger than `limit`.
template <typename Type>
Type parsed(const tfs_message &message, size_t limit) {
  quietLibraries();
  Type result;
  if (!result.ParseFromString(message.flat(limit))) {
    throw Failure(kInternal, "malformed message: no " + result.GetTypeName());
  }
  return result;
}

}  // namespace tfs

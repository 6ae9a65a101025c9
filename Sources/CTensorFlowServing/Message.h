#pragma once

#include <memory>

#include "Wire.h"

// The bytes of one message. Slices are reference-counted and shared with what is parsed from them.
struct tfs_message {
  std::shared_ptr<const tfs::Slices> slices;
  size_t byte_count = 0;

  explicit tfs_message(tfs::Slices pieces) {
    for (const auto &slice : pieces) byte_count += slice.size();
    slices = std::make_shared<const tfs::Slices>(std::move(pieces));
  }

  // Takes the slices of a buffer; an invalid one (no message at all) throws.
  static tfs_message *from(const grpc::ByteBuffer &buffer) {
    tfs::Slices pieces;
    if (!buffer.Valid() || !buffer.Dump(&pieces).ok()) {
      throw tfs::Failure(tfs::kInternal, "the call ended well but without a message");
    }
    return new tfs_message(std::move(pieces));
  }

  tfs::Reader reader() const { return tfs::Reader(*slices); }

  // The bytes in one piece, for protobuf; only for messages that are small when well-formed.
  std::string flat(size_t limit) const {
    if (byte_count > limit) {
      throw tfs::Failure(tfs::kInternal, "message of " + std::to_string(byte_count) +
                                             " bytes where at most " + std::to_string(limit) +
                                             " are allowed");
    }
    return reader().text(limit);
  }
};

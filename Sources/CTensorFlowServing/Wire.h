#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "Failure.h"

// Protobuf's wire format over a message in pieces. The reader trusts nothing: every length is
// checked against what is left, groups and field number 0 are errors, nothing recurses.
namespace tfs {

using Slices = std::vector<grpc::Slice>;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  uint32_t number;
  WireType type;
};

// A position in a message and the end of what may be read. Copies are independent. Does not own the
// slices, which must outlive it.
class Reader {
 public:
  explicit Reader(const Slices &slices) : slice_(slices.data()) {
    for (const auto &slice : slices) left_ += slice.size();
    if (!slices.empty()) enter();
  }

  bool done() const { return left_ == 0; }
  uint64_t left() const { return left_; }

  Field field() {
    const uint64_t tag = varint();
    const uint64_t number = tag >> 3;
    const auto type = static_cast<WireType>(tag & 7);
    if (number == 0 || tag > UINT32_MAX) throw malformed("impossible field number");
    if (type == 3 || type == 4 || type > 5) throw malformed("impossible wire type");
    return {static_cast<uint32_t>(number), type};
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (left_ == 0) throw malformed("message ends inside a number");
      if (at_ == end_) next();
      const uint8_t byte = *at_++;
      --left_;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    throw malformed("number longer than ten bytes");
  }

  // Moves past a length-delimited field and returns a reader of it.
  Reader bytes() {
    const uint64_t length = varint();
    if (length > left_) throw malformed("field longer than its message");
    Reader inside = *this;
    inside.left_ = length;
    advance(length);
    return inside;
  }

  // All that is left, as text; at most `limit` bytes.
  std::string text(size_t limit) {
    if (left_ > limit) throw malformed("text of " + std::to_string(left_) + " bytes");
    std::string result(left_, '\0');
    copy(result.data(), left_);
    return result;
  }

  void copy(void *destination, uint64_t count) {
    if (count > left_) throw malformed("field longer than its message");
    auto *to = static_cast<uint8_t *>(destination);
    while (count > 0) {
      if (at_ == end_) next();
      const auto step = std::min<uint64_t>(count, end_ - at_);
      std::copy_n(at_, step, to);
      to += step;
      at_ += step;
      left_ -= step;
      count -= step;
    }
  }

  void skip(WireType type) {
    switch (type) {
      case kVarint: varint(); break;
      case kFixed64: checkedAdvance(8); break;
      case kFixed32: checkedAdvance(4); break;
      case kBytes: checkedAdvance(varint()); break;
    }
  }

  static Failure malformed(const std::string &why) {
    return Failure(kInternal, "malformed message: " + why);
  }

 private:
  void checkedAdvance(uint64_t count) {
    if (count > left_) throw malformed("field longer than its message");
    advance(count);
  }

  void advance(uint64_t count) {
    left_ -= count;
    while (count > static_cast<uint64_t>(end_ - at_)) {
      count -= end_ - at_;
      next();
    }
    at_ += count;
  }

  // Only called with bytes left, which the slices hold.
  void next() {
    do {
      ++slice_;
      enter();
    } while (at_ == end_);
  }

  void enter() {
    at_ = slice_->begin();
    end_ = slice_->end();
  }

  const grpc::Slice *slice_;
  const uint8_t *at_ = nullptr;
  const uint8_t *end_ = nullptr;
  uint64_t left_ = 0;
};

inline void putVarint(std::string &out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

inline void putTag(std::string &out, uint32_t number, WireType type) {
  putVarint(out, number << 3 | type);
}

inline void putBytes(std::string &out, uint32_t number, const std::string &bytes) {
  putTag(out, number, kBytes);
  putVarint(out, bytes.size());
  out += bytes;
}

}  // namespace tfs

#include <algorithm>
#include <limits>

#include "PredictMessage.h"

namespace tfs {
namespace {

std::string describe(const Tensor &tensor) { return "tensor \"" + tensor.name + "\""; }

// Elements written so far into memory of known size.
class Sink {
 public:
  Sink(const Tensor &tensor, void *destination, int64_t elements)
      : tensor_(tensor), to_(static_cast<uint8_t *>(destination)), elements_(elements) {}

  int64_t count() const { return count_; }

  // Values that lie in the message as they do in memory.
  void copy(Reader &reader, uint64_t byte_count, size_t width) {
    if (byte_count % width != 0) throw Reader::malformed("part of a value in " + describe(tensor_));
    const auto values = byte_count / width;
    if (values > static_cast<uint64_t>(elements_ - count_)) throw tooMany();
    reader.copy(to_ + count_ * width, byte_count);
    count_ += static_cast<int64_t>(values);
  }

  template <typename Value>
  void put(Value value) {
    if (count_ == elements_) throw tooMany();
    reinterpret_cast<Value *>(to_)[count_++] = value;
  }

  // The last value stands for all that follow.
  template <typename Value>
  void repeatLast() {
    auto *values = reinterpret_cast<Value *>(to_);
    std::fill(values + count_, values + elements_, values[count_ - 1]);
  }

 private:
  Failure tooMany() const {
    return Reader::malformed(describe(tensor_) + " has more values than the " +
                             std::to_string(elements_) + " of its shape");
  }

  const Tensor &tensor_;
  uint8_t *to_;
  int64_t elements_;
  int64_t count_ = 0;
};

// One varint as an element. `Wire` is the field's own integer type, which protobuf truncates to.
template <typename Value, typename Wire>
Value narrowed(const Tensor &tensor, uint64_t varint) {
  const auto wire = static_cast<Wire>(varint);
  if (wire < std::numeric_limits<Value>::min() || wire > std::numeric_limits<Value>::max()) {
    throw Reader::malformed(describe(tensor) +
                            " has a value outside its type: " + std::to_string(wire));
  }
  return static_cast<Value>(wire);
}

// Calls `packed` with each packed field of the values, and `single` with the reader at each value
// that stands alone.
template <typename Packed, typename Single>
void eachValueField(const Tensor &tensor, Packed packed, Single single) {
  const Field wanted = valueField(tensor.dtype);
  for (Reader reader : tensor.protos) {
    while (!reader.done()) {
      const Field field = reader.field();
      if (field.number == wanted.number && field.type == kBytes) {
        packed(reader.bytes());
      } else if (field.number == wanted.number && field.type == wanted.type) {
        single(reader);
      } else {
        reader.skip(field.type);
      }
    }
  }
}

template <typename Value>
void copyFixed(const Tensor &tensor, Sink &sink) {
  eachValueField(
      tensor, [&](Reader packed) { sink.copy(packed, packed.left(), sizeof(Value)); },
      [&](Reader &reader) { sink.copy(reader, sizeof(Value), sizeof(Value)); });
}

template <typename Value, typename Wire>
void copyVarints(const Tensor &tensor, Sink &sink) {
  eachValueField(
      tensor,
      [&](Reader packed) {
        while (!packed.done()) sink.put(narrowed<Value, Wire>(tensor, packed.varint()));
      },
      [&](Reader &reader) { sink.put(narrowed<Value, Wire>(tensor, reader.varint())); });
}

void copyBools(const Tensor &tensor, Sink &sink) {
  eachValueField(
      tensor,
      [&](Reader packed) {
        while (!packed.done()) sink.put<uint8_t>(packed.varint() != 0);
      },
      [&](Reader &reader) { sink.put<uint8_t>(reader.varint() != 0); });
}

}  // namespace

size_t elementWidth(int32_t dtype) {
  switch (dtype) {
    case kUInt8:
    case kInt8:
    case kBool: return 1;
    case kInt16:
    case kUInt16:
    case kHalf: return 2;
    case kFloat:
    case kInt32:
    case kUInt32: return 4;
    case kDouble:
    case kInt64:
    case kUInt64: return 8;
    default: return 0;
  }
}

Field valueField(int32_t dtype) {
  switch (dtype) {
    case kFloat: return {5, kFixed32};
    case kDouble: return {6, kFixed64};
    case kInt64: return {10, kVarint};
    case kBool: return {11, kVarint};
    case kHalf: return {13, kVarint};
    case kUInt32: return {16, kVarint};
    case kUInt64: return {17, kVarint};
    default: return {7, kVarint};  // int_val, for the narrow integers
  }
}

void Tensor::measure(int64_t *elements, int64_t *width) const {
  *width = static_cast<int64_t>(elementWidth(dtype));
  if (*width == 0) {
    throw Failure(kInvalidArgument,
                  describe(*this) + " has an unsupported type, number " + std::to_string(dtype));
  }
  if (unknown_rank) throw Reader::malformed(describe(*this) + " has no shape");
  int64_t product = 1;
  bool overflow = false;
  bool empty = false;
  for (const int64_t extent : shape) {
    if (extent < 0) throw Reader::malformed(describe(*this) + " has an extent below 0");
    empty = empty || extent == 0;
    overflow = overflow || __builtin_mul_overflow(product, extent, &product);
  }
  int64_t bytes = 0;
  if (empty) product = 0;
  if ((overflow && !empty) || __builtin_mul_overflow(product, *width, &bytes)) {
    throw Reader::malformed(describe(*this) + " claims an impossible size");
  }
  *elements = product;
}

void Tensor::copy(void *destination, size_t byte_count) const {
  int64_t elements = 0;
  int64_t width = 0;
  measure(&elements, &width);
  if (static_cast<size_t>(elements * width) != byte_count) {
    throw Failure(kInternal, "destination does not fit " + describe(*this));
  }
  if (content.has_value()) {
    Reader reader = *content;
    if (reader.left() != byte_count) {
      throw Reader::malformed(describe(*this) + " has " + std::to_string(reader.left()) +
                              " bytes of content, its shape needs " + std::to_string(byte_count));
    }
    reader.copy(destination, byte_count);
    if (dtype == kBool) {  // other bytes than 0 and 1 are not booleans in memory
      auto *bytes = static_cast<uint8_t *>(destination);
      for (size_t i = 0; i < byte_count; ++i) bytes[i] = bytes[i] != 0;
    }
    return;
  }

  Sink sink(*this, destination, elements);
  switch (dtype) {
    case kFloat: copyFixed<float>(*this, sink); break;
    case kDouble: copyFixed<double>(*this, sink); break;
    case kUInt8: copyVarints<uint8_t, int32_t>(*this, sink); break;
    case kInt8: copyVarints<int8_t, int32_t>(*this, sink); break;
    case kUInt16: copyVarints<uint16_t, int32_t>(*this, sink); break;
    case kInt16: copyVarints<int16_t, int32_t>(*this, sink); break;
    case kHalf: copyVarints<uint16_t, int32_t>(*this, sink); break;
    case kInt32: copyVarints<int32_t, int32_t>(*this, sink); break;
    case kUInt32: copyVarints<uint32_t, uint32_t>(*this, sink); break;
    case kInt64: copyVarints<int64_t, int64_t>(*this, sink); break;
    case kUInt64: copyVarints<uint64_t, uint64_t>(*this, sink); break;
    case kBool: copyBools(*this, sink); break;
  }
  if (sink.count() == elements) return;
  if (sink.count() == 0) {
    throw Reader::malformed(describe(*this) + " has no values, its shape needs " +
                            std::to_string(elements));
  }
  switch (width) {
    case 1: sink.repeatLast<uint8_t>(); break;
    case 2: sink.repeatLast<uint16_t>(); break;
    case 4: sink.repeatLast<uint32_t>(); break;
    default: sink.repeatLast<uint64_t>(); break;
  }
}

}  // namespace tfs

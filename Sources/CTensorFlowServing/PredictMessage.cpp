#include "PredictMessage.h"

#include <limits>

using tfs::Failure;
using tfs::Field;
using tfs::kBytes;
using tfs::kFixed32;
using tfs::kFixed64;
using tfs::kVarint;
using tfs::Reader;

namespace tfs {
namespace {

// Bounds on what a header may make us remember; far over what real messages hold.
constexpr size_t kMaxTensors = 1024;
constexpr size_t kMaxFilters = 1024;
constexpr size_t kMaxRank = 254;  // TensorFlow's own limit
constexpr size_t kMaxPieces = 64;
constexpr size_t kMaxText = 4096;

enum DataType : int32_t {
  kFloat = 1, kDouble = 2, kInt32 = 3, kUInt8 = 4, kInt16 = 5, kInt8 = 6, kInt64 = 9, kBool = 10,
  kUInt16 = 17, kHalf = 19, kUInt32 = 22, kUInt64 = 23,
};

void readDimension(Reader reader, std::vector<int64_t> &shape) {
  int64_t size = 0;
  while (!reader.done()) {
    const Field field = reader.field();
    if (field.number == 1 && field.type == kVarint) {
      size = static_cast<int64_t>(reader.varint());
    } else {
      reader.skip(field.type);
    }
  }
  if (shape.size() == kMaxRank) throw Reader::malformed("tensor of rank over 254");
  shape.push_back(size);
}

void readShape(Reader reader, Tensor &tensor) {
  while (!reader.done()) {
    const Field field = reader.field();
    if (field.number == 2 && field.type == kBytes) {
      readDimension(reader.bytes(), tensor.shape);
    } else if (field.number == 3 && field.type == kVarint) {
      tensor.unknown_rank = reader.varint() != 0;
    } else {
      reader.skip(field.type);
    }
  }
}

void readTensorProto(Reader reader, Tensor &tensor) {
  if (tensor.protos.size() == kMaxPieces) throw Reader::malformed("tensor in over 64 pieces");
  tensor.protos.push_back(reader);
  while (!reader.done()) {
    const Field field = reader.field();
    if (field.number == 1 && field.type == kVarint) {
      tensor.dtype = static_cast<int32_t>(reader.varint());
    } else if (field.number == 2 && field.type == kBytes) {
      readShape(reader.bytes(), tensor);
    } else if (field.number == 4 && field.type == kBytes) {
      const Reader content = reader.bytes();
      tensor.content = content.done() ? std::nullopt : std::optional<Reader>(content);
    } else {
      reader.skip(field.type);
    }
  }
}

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
    throw Reader::malformed(describe(tensor) + " has a value outside its type: " +
                            std::to_string(wire));
  }
  return static_cast<Value>(wire);
}

// Calls `visit` with a reader of each packed field, or a null one for each single value.
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
    case kUInt8: case kInt8: case kBool: return 1;
    case kInt16: case kUInt16: case kHalf: return 2;
    case kFloat: case kInt32: case kUInt32: return 4;
    case kDouble: case kInt64: case kUInt64: return 8;
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

tfs_predict_message::tfs_predict_message(const tfs_message &message, tfs_predict_kind kind)
    : slices(message.slices) {
  const uint32_t spec_field = kind == TFS_PREDICT_REQUEST ? 1 : 2;
  const uint32_t tensors_field = kind == TFS_PREDICT_REQUEST ? 2 : 1;
  Reader reader(*slices);
  while (!reader.done()) {
    const Field field = reader.field();
    if (field.type != kBytes) {
      reader.skip(field.type);
    } else if (field.number == spec_field) {
      readModel(reader.bytes());
    } else if (field.number == tensors_field) {
      readTensor(reader.bytes());
    } else if (field.number == 3 && kind == TFS_PREDICT_REQUEST) {
      if (filter.size() == tfs::kMaxFilters) throw Reader::malformed("over 1024 wanted outputs");
      filter.push_back(reader.bytes().text(tfs::kMaxText));
    } else {
      reader.skip(field.type);
    }
  }
}

void tfs_predict_message::readModel(Reader reader) {
  while (!reader.done()) {
    const Field field = reader.field();
    if (field.type != kBytes || field.number > 4) {
      reader.skip(field.type);
      continue;
    }
    Reader inside = reader.bytes();
    switch (field.number) {
      case 1: model = inside.text(tfs::kMaxText); break;
      case 3: signature = inside.text(tfs::kMaxText); break;
      case 4:
        version_label = inside.text(tfs::kMaxText);
        version = -1;
        break;
      default:  // 2: an Int64Value, whose absent value is 0
        version_label.clear();
        if (version < 0) version = 0;
        while (!inside.done()) {
          const Field value = inside.field();
          if (value.number == 1 && value.type == kVarint) {
            version = static_cast<int64_t>(inside.varint());
          } else {
            inside.skip(value.type);
          }
        }
    }
  }
}

void tfs_predict_message::readTensor(Reader entry) {
  tfs::Tensor tensor;
  while (!entry.done()) {
    const Field field = entry.field();
    if (field.number == 1 && field.type == kBytes) {
      tensor.name = entry.bytes().text(tfs::kMaxText);
    } else if (field.number == 2 && field.type == kBytes) {
      tfs::readTensorProto(entry.bytes(), tensor);
    } else {
      entry.skip(field.type);
    }
  }
  for (auto &known : tensors) {
    if (known.name == tensor.name) {  // the last entry of a key wins
      known = std::move(tensor);
      return;
    }
  }
  if (tensors.size() == tfs::kMaxTensors) throw Reader::malformed("over 1024 tensors");
  tensors.push_back(std::move(tensor));
}

// The C side.

tfs_message *tfs_message_create(const void *bytes, size_t count, size_t piece_size,
                                tfs_error *error) {
  return tfs::guarded(error, [&] {
    if (piece_size == 0) throw Failure(tfs::kInvalidArgument, "pieces of no bytes");
    tfs::Slices slices;
    const auto *from = static_cast<const char *>(bytes);
    for (size_t at = 0; at < count; at += piece_size) {
      slices.emplace_back(from + at, std::min(piece_size, count - at));
    }
    return new tfs_message(std::move(slices));
  });
}

size_t tfs_message_byte_count(const tfs_message *message) { return message->byte_count; }

void tfs_message_copy(const tfs_message *message, void *destination) {
  auto *to = static_cast<uint8_t *>(destination);
  for (const auto &slice : *message->slices) to = std::copy(slice.begin(), slice.end(), to);
}

void tfs_message_destroy(tfs_message *message) { delete message; }

tfs_predict_message *tfs_predict_parse(const tfs_message *message, tfs_predict_kind kind,
                                       tfs_error *error) {
  return tfs::guarded(error, [&] { return new tfs_predict_message(*message, kind); });
}

void tfs_predict_destroy(tfs_predict_message *predict) { delete predict; }

size_t tfs_predict_tensor_count(const tfs_predict_message *predict) {
  return predict->tensors.size();
}

tfs_tensor_info tfs_predict_tensor(const tfs_predict_message *predict, size_t index) {
  const auto &tensor = predict->tensors[index];
  return {tensor.name.c_str(), tensor.dtype, tensor.shape.data(), tensor.shape.size(),
          tensor.unknown_rank};
}

bool tfs_predict_measure(const tfs_predict_message *predict, size_t index, int64_t *elements,
                         int64_t *width, tfs_error *error) {
  return tfs::guarded(error, [&] {
    predict->tensors.at(index).measure(elements, width);
    return true;
  });
}

bool tfs_predict_copy(const tfs_predict_message *predict, size_t index, void *destination,
                      size_t byte_count, tfs_error *error) {
  return tfs::guarded(error, [&] {
    predict->tensors.at(index).copy(destination, byte_count);
    return true;
  });
}

const char *tfs_predict_model(const tfs_predict_message *predict) { return predict->model.c_str(); }

int64_t tfs_predict_version(const tfs_predict_message *predict) { return predict->version; }

const char *tfs_predict_version_label(const tfs_predict_message *predict) {
  return predict->version_label.c_str();
}

const char *tfs_predict_signature(const tfs_predict_message *predict) {
  return predict->signature.c_str();
}

size_t tfs_predict_filter_count(const tfs_predict_message *predict) {
  return predict->filter.size();
}

const char *tfs_predict_filter(const tfs_predict_message *predict, size_t index) {
  return predict->filter[index].c_str();
}

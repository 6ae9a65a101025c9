#include "PredictEncoder.h"

#include "PredictMessage.h"

namespace tfs {
namespace {

// gRPC and TensorFlow Serving take messages up to this; protobuf aborts the process beyond it.
constexpr uint64_t kMaxMessage = (1ull << 31) - 1;

template <typename Value>
void putValues(std::string &out, const tfs_tensor &tensor) {
  const auto *values = static_cast<const Value *>(tensor.data);
  for (size_t i = 0; i < tensor.byte_count / sizeof(Value); ++i) {
    putVarint(out, static_cast<uint64_t>(static_cast<int64_t>(values[i])));
  }
}

std::string varintValues(const tfs_tensor &tensor) {
  std::string out;
  switch (tensor.dtype) {
    case kInt8: putValues<int8_t>(out, tensor); break;
    case kUInt8:
    case kBool: putValues<uint8_t>(out, tensor); break;
    case kInt16: putValues<int16_t>(out, tensor); break;
    case kUInt16:
    case kHalf: putValues<uint16_t>(out, tensor); break;
    case kInt32: putValues<int32_t>(out, tensor); break;
    case kUInt32: putValues<uint32_t>(out, tensor); break;
    case kInt64:
    case kUInt64: putValues<uint64_t>(out, tensor); break;
    default:
      throw Failure(kInvalidArgument, "cannot send type number " + std::to_string(tensor.dtype));
  }
  return out;
}

std::string shapeOf(const tfs_tensor &tensor) {
  std::string shape;
  for (size_t axis = 0; axis < tensor.rank; ++axis) {
    std::string dimension;
    putTag(dimension, 1, kVarint);
    putVarint(dimension, static_cast<uint64_t>(tensor.shape[axis]));
    putBytes(shape, 2, dimension);
  }
  return shape;
}

// Slices of a message under construction: text collects until a payload ends it.
class Pieces {
 public:
  std::string text;

  void append(grpc::Slice payload) {
    flush();
    byte_count_ += payload.size();
    slices_.push_back(std::move(payload));
  }

  grpc::ByteBuffer finish() {
    flush();
    if (byte_count_ > kMaxMessage) {
      throw Failure(kInvalidArgument, "message of " + std::to_string(byte_count_) +
                                          " bytes, at most " + std::to_string(kMaxMessage) +
                                          " can be sent");
    }
    if (slices_.empty()) slices_.emplace_back();
    return grpc::ByteBuffer(slices_.data(), slices_.size());
  }

 private:
  void flush() {
    if (text.empty()) return;
    byte_count_ += text.size();
    slices_.emplace_back(text);
    text.clear();
  }

  Slices slices_;
  uint64_t byte_count_ = 0;
};

// One entry of the map field `number`: the name, the header, then the payload as it lies in memory.
void putTensor(Pieces &out, uint32_t number, LentTensors &tensors, size_t index, bool typed) {
  const tfs_tensor &tensor = tensors[index];
  std::string header;
  putTag(header, 1, kVarint);
  putVarint(header, static_cast<uint64_t>(tensor.dtype));
  putBytes(header, 2, shapeOf(tensor));

  const Field field = typed ? valueField(tensor.dtype) : Field{4, kBytes};
  grpc::Slice payload =
      typed && field.type == kVarint ? grpc::Slice(varintValues(tensor)) : tensors.slice(index);
  if (payload.size() > 0) {
    putTag(header, field.number, kBytes);
    putVarint(header, payload.size());
  }
  std::string entry;
  putBytes(entry, 1, tensor.name);
  putTag(entry, 2, kBytes);
  putVarint(entry, header.size() + payload.size());
  entry += header;

  putTag(out.text, number, kBytes);
  putVarint(out.text, entry.size() + payload.size());
  out.text += entry;
  if (payload.size() > 0) out.append(std::move(payload));
}

}  // namespace

LentTensors::LentTensors(const tfs_tensor *tensors, size_t count)
    : tensors_(tensors), count_(count), released_(count, false) {}

LentTensors::~LentTensors() {
  for (size_t i = 0; i < count_; ++i) {
    if (!released_[i]) tensors_[i].release(tensors_[i].owner);
  }
}

grpc::Slice LentTensors::slice(size_t index) {
  const tfs_tensor &tensor = tensors_[index];
  if (tensor.byte_count == 0) return grpc::Slice();  // released when this dies
  released_[index] = true;
  return grpc::Slice(const_cast<void *>(tensor.data), tensor.byte_count, tensor.release,
                     tensor.owner);
}

std::string modelSpec(const char *name, int64_t version, const char *signature) {
  std::string spec;
  putBytes(spec, 1, name);
  if (version >= 0) {
    std::string value;
    putTag(value, 1, kVarint);
    putVarint(value, static_cast<uint64_t>(version));
    putBytes(spec, 2, value);
  }
  if (*signature != '\0') putBytes(spec, 3, signature);
  return spec;
}

grpc::ByteBuffer predictRequest(tfs_model model, LentTensors &inputs, const char *const *filter,
                                size_t filter_count) {
  Pieces pieces;
  putBytes(pieces.text, 1, modelSpec(model.name, model.version, ""));
  for (size_t i = 0; i < inputs.size(); ++i) putTensor(pieces, 2, inputs, i, false);
  for (size_t i = 0; i < filter_count; ++i) putBytes(pieces.text, 3, filter[i]);
  return pieces.finish();
}

grpc::ByteBuffer predictResponse(tfs_model model, LentTensors &outputs, bool typed) {
  Pieces pieces;
  for (size_t i = 0; i < outputs.size(); ++i) putTensor(pieces, 1, outputs, i, typed);
  putBytes(pieces.text, 2, modelSpec(model.name, model.version, "serving_default"));
  return pieces.finish();
}

grpc::ByteBuffer buffer(const std::string &bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace tfs

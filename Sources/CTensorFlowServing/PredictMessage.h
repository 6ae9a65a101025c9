#pragma once

#include <optional>

#include "Message.h"

namespace tfs {

// The numbers of tensorflow.DataType for the types of fixed width.
enum DataType : int32_t {
  kFloat = 1,
  kDouble = 2,
  kInt32 = 3,
  kUInt8 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kInt64 = 9,
  kBool = 10,
  kUInt16 = 17,
  kHalf = 19,
  kUInt32 = 22,
  kUInt64 = 23,
};

// A tensor that still lies in its message.
struct Tensor {
  std::string name;
  int32_t dtype = 0;
  std::vector<int64_t> shape;
  bool unknown_rank = false;
  std::optional<Reader> content;  // tensor_content, if not empty
  std::vector<Reader> protos;     // the TensorProto, usually in one piece, for the typed fields

  // Throws unless type and shape are complete and known.
  void measure(int64_t *elements, int64_t *width) const;
  // Writes all elements, or throws.
  void copy(void *destination, size_t byte_count) const;
};

// Bytes per element, 0 for types that are not carried in fixed width.
size_t elementWidth(int32_t dtype);

// Where a type's values are when they are not in tensor_content: number and wire type of the field.
Field valueField(int32_t dtype);

}  // namespace tfs

struct tfs_predict_message {
  std::shared_ptr<const tfs::Slices> slices;  // what the readers in `tensors` point into
  std::vector<tfs::Tensor> tensors;
  std::string model;
  int64_t version = -1;
  std::string version_label;
  std::string signature;
  std::vector<std::string> filter;

  tfs_predict_message(const tfs_message &message, tfs_predict_kind kind);

 private:
  void readModel(tfs::Reader reader);
  void readTensor(tfs::Reader entry);
};

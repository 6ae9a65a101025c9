#pragma once

#include "Message.h"

namespace tfs {

// Tensors taken over from a caller: each release runs exactly once, at the latest when this dies.
class LentTensors {
 public:
  LentTensors(const tfs_tensor *tensors, size_t count);
  ~LentTensors();
  LentTensors(const LentTensors &) = delete;
  LentTensors &operator=(const LentTensors &) = delete;

  size_t size() const { return count_; }
  const tfs_tensor &operator[](size_t index) const { return tensors_[index]; }

  // The tensor's memory as a slice, which from now on owns the duty to release it.
  grpc::Slice slice(size_t index);

 private:
  const tfs_tensor *tensors_;
  size_t count_;
  std::vector<bool> released_;
};

// A ModelSpec, serialized. An empty signature and a version below 0 are left out.
std::string modelSpec(const char *name, int64_t version, const char *signature);

// A PredictRequest whose payloads are the callers' memory. Throws when it would pass 2 GiB.
grpc::ByteBuffer predictRequest(tfs_model model, LentTensors &inputs, const char *const *filter,
                                size_t filter_count);

// A PredictResponse; `typed` puts values into float_val and its like, as TensorFlow Serving does.
grpc::ByteBuffer predictResponse(tfs_model model, LentTensors &outputs, bool typed);

// A message that lies in one piece.
grpc::ByteBuffer buffer(const std::string &bytes);

}  // namespace tfs

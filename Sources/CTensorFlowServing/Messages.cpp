// The C functions for messages and the tensors in them.
#include "PredictMessage.h"

tfs_message *tfs_message_create(const void *bytes, size_t count, size_t piece_size,
                                tfs_error *error) {
  return tfs::guarded(error, [&] {
    if (piece_size == 0) throw tfs::Failure(tfs::kInvalidArgument, "pieces of no bytes");
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

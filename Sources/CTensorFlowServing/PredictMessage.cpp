#include "PredictMessage.h"

using tfs::Field;
using tfs::kBytes;
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

}  // namespace

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

#include <map>

#include "Protobuf.h"
#include "grpc_health.pb.h"
#include "tensorflow_serving.pb.h"

namespace {

using tensorflow::TensorInfo;
using tfs::Failure;

// Signatures and states are kilobytes; more is not an answer to what was asked.
constexpr size_t kMaxReply = 16 << 20;

template <typename Message>
Message parse(const tfs_message *reply) {
  return tfs::parsed<Message>(*reply, kMaxReply);
}

template <typename Visit>
void visitTensors(const google::protobuf::Map<std::string, TensorInfo> &tensors, Visit visit) {
  const std::map<std::string, TensorInfo> sorted(tensors.begin(), tensors.end());
  for (const auto &[key, info] : sorted) {
    std::vector<int64_t> shape;
    for (const auto &dimension : info.tensor_shape().dim()) shape.push_back(dimension.size());
    const bool unknown = !info.has_tensor_shape() || info.tensor_shape().unknown_rank();
    const tfs_signature_tensor tensor = {key.c_str(), info.name().c_str(), info.dtype(),
                                         shape.data(),
                                         unknown ? -1 : static_cast<int32_t>(shape.size())};
    visit(tensor);
  }
}

}  // namespace

bool tfs_metadata_read(const tfs_message *reply, const char *signature, void *user,
                       void (*visit)(void *, bool, const tfs_signature_tensor *),
                       tfs_error *error) {
  return tfs::guarded(error, [&] {
    const auto response = parse<tensorflow::serving::GetModelMetadataResponse>(reply);
    const auto packed = response.metadata().find("signature_def");
    tensorflow::serving::SignatureDefMap signatures;
    if (packed == response.metadata().end() || !packed->second.UnpackTo(&signatures)) {
      throw Failure(tfs::kInternal, "the metadata holds no signatures");
    }
    const auto found = signatures.signature_def().find(signature);
    if (found == signatures.signature_def().end()) {
      std::string known;
      for (const auto &[name, definition] : signatures.signature_def()) {
        known += (known.empty() ? "" : ", ") + name;
      }
      throw Failure(tfs::kNotFound, "the model has no signature \"" + std::string(signature) +
                                        "\", only: " + known);
    }
    visitTensors(found->second.inputs(), [&](const auto &tensor) { visit(user, false, &tensor); });
    visitTensors(found->second.outputs(), [&](const auto &tensor) { visit(user, true, &tensor); });
    return true;
  });
}

bool tfs_status_read(const tfs_message *reply, void *user,
                     void (*visit)(void *, const tfs_version_status *), tfs_error *error) {
  return tfs::guarded(error, [&] {
    const auto response = parse<tensorflow::serving::GetModelStatusResponse>(reply);
    for (const auto &version : response.model_version_status()) {
      const tfs_version_status status = {version.version(), version.state(),
                                         version.status().error_code(),
                                         version.status().error_message().c_str()};
      visit(user, &status);
    }
    return true;
  });
}

bool tfs_health_read(const tfs_message *reply, int32_t *status, tfs_error *error) {
  return tfs::guarded(error, [&] {
    *status = parse<grpc::health::v1::HealthCheckResponse>(reply).status();
    return true;
  });
}

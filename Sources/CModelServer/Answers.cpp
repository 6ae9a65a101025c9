#include "PredictEncoder.h"
#include "Protobuf.h"
#include "Quiet.h"
#include "Server.h"
#include "grpc_health.pb.h"
#include "tensorflow_serving.pb.h"

namespace {

using tfs::Failure;

constexpr size_t kMaxRequest = 1 << 20;  // of the requests that carry no tensors

// Answers with what `body` makes, or with why it could not.
template <typename Body>
void answer(tfs_server_call *call, Body body) {
  tfs_error error;
  grpc::ByteBuffer reply;
  const bool made = tfs::guarded(&error, [&] {
    reply = body();
    return true;
  });
  if (made) {
    call->reply(reply);
  } else {
    call->fail(error.code, error.message);
  }
  tfs_error_clear(&error);
}

template <typename Message>
Message parse(const tfs_message *request) {
  return tfs::parsed<Message>(*request, kMaxRequest);
}

int64_t version(const tensorflow::serving::ModelSpec &spec) {
  return spec.has_version() ? spec.version().value() : -1;
}

void fill(tensorflow::serving::ModelSpec *spec, const tfs_model &model) {
  spec->set_name(model.name);
  if (model.version >= 0) spec->mutable_version()->set_value(model.version);
}

void fill(google::protobuf::Map<std::string, tensorflow::TensorInfo> *map,
          const tfs_signature_tensor *tensors, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const auto &tensor = tensors[i];
    tensorflow::TensorInfo info;
    info.set_name(tensor.graph_name);
    info.set_dtype(static_cast<tensorflow::DataType>(tensor.dtype));
    auto *shape = info.mutable_tensor_shape();
    shape->set_unknown_rank(tensor.rank < 0);
    for (int32_t axis = 0; axis < tensor.rank; ++axis)
      shape->add_dim()->set_size(tensor.shape[axis]);
    (*map)[tensor.key] = info;
  }
}

}  // namespace

tfs_server *tfs_server_start(const tfs_server_options *options, tfs_error *error) {
  return tfs::guarded(error, [&] {
    tfs::quietLibraries();
    return new tfs_server(*options);
  });
}

int32_t tfs_server_port(const tfs_server *server) { return server->port(); }

void tfs_server_stop(tfs_server *server, int64_t grace_ms) { server->stop(grace_ms); }

void tfs_server_destroy(tfs_server *server) { delete server; }

const char *tfs_server_call_method(const tfs_server_call *call) {
  return call->context().method().c_str();
}

tfs_message *tfs_server_call_message(const tfs_server_call *call, tfs_error *error) {
  return tfs::guarded(error, [&] { return tfs_message::from(call->request()); });
}

int64_t tfs_server_call_time_left_ms(const tfs_server_call *call) {
  using std::chrono::milliseconds;
  const auto left = call->context().deadline() - std::chrono::system_clock::now();
  const auto day = std::chrono::hours(24);
  return std::chrono::duration_cast<milliseconds>(left < day ? left : day).count();
}

void tfs_server_call_headers(const tfs_server_call *call, void *user,
                             void (*visit)(void *, const char *, size_t, const char *, size_t)) {
  for (const auto &[key, value] : call->context().client_metadata()) {
    visit(user, key.data(), key.size(), value.data(), value.size());
  }
}

void tfs_server_call_watch(tfs_server_call *call, void *user, void (*over)(void *, bool)) {
  call->watch(user, over);
}

bool tfs_model_request_read(const tfs_message *request, bool is_metadata, void *user,
                            void (*visit)(void *, const char *, int64_t), tfs_error *error) {
  return tfs::guarded(error, [&] {
    tensorflow::serving::ModelSpec spec;
    if (is_metadata) {
      const auto asked = parse<tensorflow::serving::GetModelMetadataRequest>(request);
      if (asked.metadata_field().empty()) {
        throw Failure(tfs::kInvalidArgument,
                      "GetModelMetadataRequest must specify at least one "
                      "metadata_field");
      }
      for (const auto &field : asked.metadata_field()) {
        if (field != "signature_def") {
          throw Failure(tfs::kInvalidArgument, "Metadata field " + field + " is not supported");
        }
      }
      spec = asked.model_spec();
    } else {
      spec = parse<tensorflow::serving::GetModelStatusRequest>(request).model_spec();
    }
    visit(user, spec.name().c_str(), version(spec));
    return true;
  });
}

bool tfs_health_request_read(const tfs_message *request, void *user,
                             void (*visit)(void *, const char *), tfs_error *error) {
  return tfs::guarded(error, [&] {
    visit(user, parse<grpc::health::v1::HealthCheckRequest>(request).service().c_str());
    return true;
  });
}

void tfs_server_call_reply_bytes(tfs_server_call *call, const void *bytes, size_t count) {
  answer(call, [&] { return tfs::buffer(std::string(static_cast<const char *>(bytes), count)); });
}

void tfs_server_call_reply_tensors(tfs_server_call *call, tfs_model model,
                                   const tfs_tensor *outputs, size_t output_count, bool typed) {
  answer(call, [&] {
    tfs::LentTensors lent(outputs, output_count);
    return tfs::predictResponse(model, lent, typed);
  });
}

void tfs_server_call_reply_metadata(tfs_server_call *call, tfs_model model,
                                    const tfs_signature_tensor *inputs, size_t input_count,
                                    const tfs_signature_tensor *outputs, size_t output_count) {
  answer(call, [&] {
    tensorflow::SignatureDef signature;
    fill(signature.mutable_inputs(), inputs, input_count);
    fill(signature.mutable_outputs(), outputs, output_count);
    signature.set_method_name("tensorflow/serving/predict");
    tensorflow::serving::SignatureDefMap signatures;
    (*signatures.mutable_signature_def())["serving_default"] = signature;
    // Every model saved by TensorFlow 2 has this one too; readers must step over it.
    auto &initializer = (*signatures.mutable_signature_def())["__saved_model_init_op"];
    auto &nothing = (*initializer.mutable_outputs())["__saved_model_init_op"];
    nothing.set_name("NoOp");
    nothing.mutable_tensor_shape()->set_unknown_rank(true);
    tensorflow::serving::GetModelMetadataResponse response;
    fill(response.mutable_model_spec(), model);
    (*response.mutable_metadata())["signature_def"].PackFrom(signatures);
    return tfs::buffer(response.SerializeAsString());
  });
}

void tfs_server_call_reply_status(tfs_server_call *call, const tfs_version_status *versions,
                                  size_t count) {
  answer(call, [&] {
    tensorflow::serving::GetModelStatusResponse response;
    for (size_t i = 0; i < count; ++i) {
      auto *version = response.add_model_version_status();
      version->set_version(versions[i].version);
      version->set_state(
          static_cast<tensorflow::serving::ModelVersionStatus::State>(versions[i].state));
      auto *status = version->mutable_status();
      status->set_error_code(static_cast<tensorflow::error::Code>(versions[i].error_code));
      status->set_error_message(versions[i].error_message);
    }
    return tfs::buffer(response.SerializeAsString());
  });
}

void tfs_server_call_reply_health(tfs_server_call *call, int32_t status) {
  answer(call, [&] {
    grpc::health::v1::HealthCheckResponse response;
    response.set_status(static_cast<grpc::health::v1::HealthCheckResponse::ServingStatus>(status));
    return tfs::buffer(response.SerializeAsString());
  });
}

void tfs_server_call_fail(tfs_server_call *call, int32_t code, const char *message) {
  call->fail(code, message);
}

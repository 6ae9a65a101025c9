#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "Call.h"
#include "PredictEncoder.h"
#include "Quiet.h"
#include "grpc_health.pb.h"
#include "tensorflow_serving.pb.h"

namespace {

using tfs::Failure;

// The path of a channel is one connection of its own: equal targets would otherwise share one.
grpc::ChannelArguments arguments(const tfs_channel_options &options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetLoadBalancingPolicyName("round_robin");  // over all addresses of the name
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  // The text of an error travels there; a long one would otherwise arrive as RESOURCE_EXHAUSTED.
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 256 << 10);
  if (options.keepalive_time_ms > 0) {
    // The cap of two pings without data stays: without it stock servers end the call.
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, options.keepalive_time_ms);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options.keepalive_timeout_ms);
  }
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  // Against its name this is how long one attempt may take: a busy server needs more than moments.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 4 << 20);
  if (options.gzip) arguments.SetCompressionAlgorithm(GRPC_COMPRESS_GZIP);
  return arguments;
}

tfs_call *startMessage(tfs_channel *channel, const char *method,
                       const google::protobuf::Message &request, const tfs_call_options *options) {
  return tfs_call::start(*channel, method, tfs::buffer(request.SerializeAsString()), *options);
}

void fill(tensorflow::serving::ModelSpec *spec, const tfs_model &model) {
  spec->set_name(model.name);
  if (model.version >= 0) spec->mutable_version()->set_value(model.version);
}

}  // namespace

void tfs_error_clear(tfs_error *error) {
  free(error->message);
  *error = {};
}

tfs_channel *tfs_channel_create(const tfs_channel_options *options, tfs_error *error) {
  return tfs::guarded(error, [&] {
    tfs::quietLibraries();
    return new tfs_channel(grpc::CreateCustomChannel(
        options->target, grpc::InsecureChannelCredentials(), arguments(*options)));
  });
}

int32_t tfs_channel_state(tfs_channel *channel, bool connect) {
  return channel->channel->GetState(connect);
}

void tfs_channel_destroy(tfs_channel *channel) { delete channel; }

tfs_call *tfs_predict_start(tfs_channel *channel, tfs_model model, const tfs_tensor *inputs,
                            size_t input_count, const char *const *filter, size_t filter_count,
                            const tfs_call_options *options, tfs_error *error) {
  return tfs::guarded(error, [&] {
    tfs::LentTensors lent(inputs, input_count);
    const auto request = tfs::predictRequest(model, lent, filter, filter_count);
    return tfs_call::start(*channel, "/tensorflow.serving.PredictionService/Predict", request,
                           *options);
  });
}

tfs_call *tfs_metadata_start(tfs_channel *channel, tfs_model model, const tfs_call_options *options,
                             tfs_error *error) {
  return tfs::guarded(error, [&] {
    tensorflow::serving::GetModelMetadataRequest request;
    fill(request.mutable_model_spec(), model);
    request.add_metadata_field("signature_def");
    return startMessage(channel, "/tensorflow.serving.PredictionService/GetModelMetadata", request,
                        options);
  });
}

tfs_call *tfs_status_start(tfs_channel *channel, tfs_model model, const tfs_call_options *options,
                           tfs_error *error) {
  return tfs::guarded(error, [&] {
    tensorflow::serving::GetModelStatusRequest request;
    fill(request.mutable_model_spec(), model);
    return startMessage(channel, "/tensorflow.serving.ModelService/GetModelStatus", request,
                        options);
  });
}

tfs_call *tfs_health_start(tfs_channel *channel, const char *service,
                           const tfs_call_options *options, tfs_error *error) {
  return tfs::guarded(error, [&] {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    return startMessage(channel, "/grpc.health.v1.Health/Check", request, options);
  });
}

/// A gRPC server for the services of TensorFlow Serving behind C; the rules of
/// CTensorFlowServing.h hold here too.
///
/// Calls are accepted on a completion queue with one thread of its own per server, given to the
/// handler as bytes, and answered from any thread at any later time.
#pragma once

#include "CTensorFlowServing.h"

#ifdef __clang__
#pragma clang assume_nonnull begin
#else
#define _Nullable
#define _Nonnull
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tfs_server tfs_server;

/// A call being served. Owned by the handler until answered; every call must be answered once.
typedef struct tfs_server_call tfs_server_call;

/// Runs on the server's thread for every call to any method: hand the call over and return.
typedef void (*tfs_called)(void *_Nullable user, tfs_server_call *call);

typedef struct tfs_server_options {
  const char *address;  // "127.0.0.1:0" for a free port
  tfs_called called;
  void *_Nullable user;  // used until tfs_server_destroy returns
} tfs_server_options;

/// Listens and serves until stopped. Fails if the port is taken.
tfs_server *_Nullable tfs_server_start(const tfs_server_options *options, tfs_error *error);
/// The port in use.
int32_t tfs_server_port(const tfs_server *server);
/// Refuses new calls, lets those in flight go on for `grace_ms`, then cancels them. Blocks until
/// every call has been answered, so not on a thread that answers are waiting for. Once.
void tfs_server_stop(tfs_server *server, int64_t grace_ms);
/// Stops without grace if that was not done; blocks likewise.
void tfs_server_destroy(tfs_server *_Nullable server);

// MARK: What was asked; valid until the call is answered

const char *tfs_server_call_method(const tfs_server_call *call);  // "/package.Service/Method"
/// The request's bytes; owned by the caller.
tfs_message *_Nullable tfs_server_call_message(const tfs_server_call *call, tfs_error *error);
/// Milliseconds to the caller's deadline, at most a day.
int64_t tfs_server_call_time_left_ms(const tfs_server_call *call);
/// Visits the call's metadata; values are bytes that need not end in 0.
void tfs_server_call_headers(const tfs_server_call *call, void *_Nullable user,
                             void (*visit)(void *_Nullable user, const char *key, size_t key_length,
                                           const char *value, size_t value_length));
/// Runs `over(user, cancelled)` exactly once: when the caller cancels, its deadline passes or its
/// connection is lost (true), or when the call has ended (false). On the server's thread, or at
/// once on this one. Set at most once per call.
void tfs_server_call_watch(tfs_server_call *call, void *_Nullable user,
                           void (*over)(void *_Nullable user, bool cancelled));

// MARK: Requests other than Predict's, parsed

/// The model a GetModelMetadata or GetModelStatus request names, to `visit`; version -1: none
/// given. For metadata, fails unless the one field asked for is "signature_def", as upstream.
bool tfs_model_request_read(const tfs_message *request, bool is_metadata, void *_Nullable user,
                            void (*visit)(void *_Nullable user, const char *name, int64_t version),
                            tfs_error *error);
/// The service a health check asks for, to `visit`.
bool tfs_health_request_read(const tfs_message *request, void *_Nullable user,
                             void (*visit)(void *_Nullable user, const char *service),
                             tfs_error *error);

// MARK: Answers; each takes the call, whatever the outcome

/// Any bytes as the reply message; for tests and for replaying recorded replies.
void tfs_server_call_reply_bytes(tfs_server_call *call, const void *_Nullable bytes, size_t count);
/// A PredictResponse. `typed`: values in `float_val` and its like, else in `tensor_content`.
void tfs_server_call_reply_tensors(tfs_server_call *call, tfs_model model,
                                   const tfs_tensor *_Nullable outputs, size_t output_count,
                                   bool typed);
/// A GetModelMetadataResponse with the signature "serving_default", and that of an initializer as
/// models of TensorFlow 2 have it.
void tfs_server_call_reply_metadata(tfs_server_call *call, tfs_model model,
                                    const tfs_signature_tensor *_Nullable inputs,
                                    size_t input_count,
                                    const tfs_signature_tensor *_Nullable outputs,
                                    size_t output_count);
/// A GetModelStatusResponse.
void tfs_server_call_reply_status(tfs_server_call *call,
                                  const tfs_version_status *_Nullable versions, size_t count);
/// A HealthCheckResponse: 1 serving, 2 not serving.
void tfs_server_call_reply_health(tfs_server_call *call, int32_t status);
/// Ends the call with a status instead of a message. Code 0 ends it well without any message, which
/// only a broken server does.
void tfs_server_call_fail(tfs_server_call *call, int32_t code, const char *message);

#ifdef __cplusplus
}
#endif

#ifdef __clang__
#pragma clang assume_nonnull end
#else
#undef _Nullable
#undef _Nonnull
#endif

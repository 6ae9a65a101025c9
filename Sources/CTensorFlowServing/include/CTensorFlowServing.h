/// A gRPC client for TensorFlow Serving behind C.
///
/// Calls run on one completion queue with one thread of its own, shared by the process. Unless a
/// comment says otherwise: a pointer in is borrowed for the call and copied if kept, a handle out
/// is owned by the caller and given back to its destroy function, which accepts NULL; functions may
/// be called on any thread and never block. Failure is reported in `tfs_error`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang assume_nonnull begin
#else
#define _Nullable
#define _Nonnull
#endif

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Errors

/// A status code of gRPC (0 is success) and a text, owned by whoever declared the struct.
typedef struct tfs_error {
  int32_t code;
  char *_Nullable message;
} tfs_error;

void tfs_error_clear(tfs_error *error);

// MARK: Messages

/// The bytes of one protobuf message, in as many pieces as they arrived in. Immutable.
typedef struct tfs_message tfs_message;

/// A copy of `bytes`, cut into pieces of `piece_size`: what a recorded message looks like on
/// arrival.
tfs_message *_Nullable tfs_message_create(const void *_Nullable bytes, size_t count,
                                          size_t piece_size, tfs_error *error);
size_t tfs_message_byte_count(const tfs_message *message);
/// Copies all bytes to `destination`, which holds `tfs_message_byte_count` bytes.
void tfs_message_copy(const tfs_message *message, void *destination);
void tfs_message_destroy(tfs_message *_Nullable message);

// MARK: Tensors

/// A tensor whose memory is lent: `release(owner)` runs exactly once, on any thread, when the
/// memory is no longer read, which may be after the call has ended. Also when the function given
/// the tensor fails. `name` and `shape` are borrowed. Elements are row-major and little-endian.
typedef struct tfs_tensor {
  const char *name;
  int32_t dtype;  // number of tensorflow.DataType
  const int64_t *_Nullable shape;
  size_t rank;
  const void *_Nullable data;
  size_t byte_count;
  void *_Nullable owner;
  void (*release)(void *_Nullable owner);
} tfs_tensor;

/// The header of a PredictRequest or PredictResponse; tensors still lie in the message's pieces.
/// Immutable; keeps the message's memory alive by itself.
typedef struct tfs_predict_message tfs_predict_message;

typedef enum tfs_predict_kind {
  TFS_PREDICT_REQUEST = 0,
  TFS_PREDICT_RESPONSE = 1
} tfs_predict_kind;

/// Finds the tensors of a message without copying them. Takes time for every field, none for the
/// tensors' elements, and memory for names and shapes only: at most 1,024 tensors of rank 254.
tfs_predict_message *_Nullable tfs_predict_parse(const tfs_message *message, tfs_predict_kind kind,
                                                 tfs_error *error);
void tfs_predict_destroy(tfs_predict_message *_Nullable predict);

/// What the message says of one tensor; pointers live as long as the message.
typedef struct tfs_tensor_info {
  const char *name;
  int32_t dtype;
  const int64_t *_Nullable shape;
  size_t rank;
  bool unknown_rank;
} tfs_tensor_info;

size_t tfs_predict_tensor_count(const tfs_predict_message *predict);
tfs_tensor_info tfs_predict_tensor(const tfs_predict_message *predict, size_t index);

/// Elements of a tensor and bytes of one, after checking that the shape is complete, that both fit
/// `int64_t` and that the type is one of fixed width that `tfs_predict_copy` reads.
bool tfs_predict_measure(const tfs_predict_message *predict, size_t index, int64_t *elements,
                         int64_t *width, tfs_error *error);

/// Copies a tensor's elements to `destination`, `byte_count` bytes as `tfs_predict_measure` said.
/// Reads `tensor_content` and the typed fields, packed or not, in any number of pieces; fewer typed
/// values than elements repeat the last one. Blocks for as long as the copy takes.
bool tfs_predict_copy(const tfs_predict_message *predict, size_t index, void *destination,
                      size_t byte_count, tfs_error *error);

/// Model, version (-1: none given), signature and wanted outputs of a request.
const char *tfs_predict_model(const tfs_predict_message *predict);
int64_t tfs_predict_version(const tfs_predict_message *predict);
const char *tfs_predict_version_label(const tfs_predict_message *predict);
const char *tfs_predict_signature(const tfs_predict_message *predict);
size_t tfs_predict_filter_count(const tfs_predict_message *predict);
const char *tfs_predict_filter(const tfs_predict_message *predict, size_t index);

// MARK: Channels

/// A connection to a server, opened by the first call and reopened when lost.
typedef struct tfs_channel tfs_channel;

typedef struct tfs_channel_options {
  const char *target;            // "host:port" or "[v6]:port"
  int32_t keepalive_time_ms;     // silence before a ping; 0: no pings
  int32_t keepalive_timeout_ms;  // for the answer to one
  bool gzip;                     // compress requests
} tfs_channel_options;

tfs_channel *_Nullable tfs_channel_create(const tfs_channel_options *options, tfs_error *error);
/// 0 idle, 1 connecting, 2 ready, 3 failing, 4 closed; `connect` starts connecting if idle.
int32_t tfs_channel_state(tfs_channel *channel, bool connect);
/// Calls in flight keep what they need and go on.
void tfs_channel_destroy(tfs_channel *_Nullable channel);

// MARK: Calls

/// A call in flight or ended.
typedef struct tfs_call tfs_call;

/// Tells how a call ended, exactly once per started call, on the queue's thread: return quickly.
/// `code` 0 comes with `reply`, which the callback owns; other codes with the server's text,
/// borrowed. May run before the function that started the call returns.
typedef void (*tfs_done)(void *_Nullable user, int32_t code, const char *message,
                         tfs_message *_Nullable reply);

typedef struct tfs_header {
  const char *key;
  const char *value;
} tfs_header;

typedef struct tfs_call_options {
  int64_t timeout_ms;  // the deadline sent with the call
  int64_t grace_ms;    // after the deadline, `done` runs even if gRPC cannot end the call
  const tfs_header *_Nullable headers;  // those HTTP/2 does not allow are left out
  size_t header_count;
  tfs_done done;
  void *_Nullable user;
} tfs_call_options;

/// Which model a call is for.
typedef struct tfs_model {
  const char *name;
  int64_t version;  // -1: the newest
} tfs_model;

/// Calls Predict. Elements leave from the tensors' memory as `tensor_content`. Filter: the wanted
/// outputs, none for all. When NULL is returned, `done` does not run.
tfs_call *_Nullable tfs_predict_start(tfs_channel *channel, tfs_model model,
                                      const tfs_tensor *_Nullable inputs, size_t input_count,
                                      const char *const _Nonnull *_Nullable filter,
                                      size_t filter_count, const tfs_call_options *options,
                                      tfs_error *error);
tfs_call *_Nullable tfs_metadata_start(tfs_channel *channel, tfs_model model,
                                       const tfs_call_options *options, tfs_error *error);
tfs_call *_Nullable tfs_status_start(tfs_channel *channel, tfs_model model,
                                     const tfs_call_options *options, tfs_error *error);
/// Service: empty for the whole server.
tfs_call *_Nullable tfs_health_start(tfs_channel *channel, const char *service,
                                     const tfs_call_options *options, tfs_error *error);

/// Ends the call with CANCELLED soon, even if its peer is frozen; without effect after the end.
void tfs_call_cancel(tfs_call *call);
/// Gives the handle back; the call itself goes on.
void tfs_call_release(tfs_call *_Nullable call);

// MARK: Replies other than Predict's

/// One tensor of a signature; pointers live for the visit. Rank -1: unknown.
typedef struct tfs_signature_tensor {
  const char *key;
  const char *graph_name;
  int32_t dtype;
  const int64_t *_Nullable shape;
  int32_t rank;
} tfs_signature_tensor;

/// Visits inputs and outputs of `signature` in a GetModelMetadataResponse, sorted by key.
bool tfs_metadata_read(const tfs_message *reply, const char *signature, void *_Nullable user,
                       void (*visit)(void *_Nullable user, bool is_output,
                                     const tfs_signature_tensor *tensor),
                       tfs_error *error);

/// One version of a model; `message` lives for the visit.
typedef struct tfs_version_status {
  int64_t version;
  int32_t state;  // 10 start, 20 loading, 30 available, 40 unloading, 50 end
  int32_t error_code;
  const char *error_message;
} tfs_version_status;

/// Visits the versions in a GetModelStatusResponse.
bool tfs_status_read(const tfs_message *reply, void *_Nullable user,
                     void (*visit)(void *_Nullable user, const tfs_version_status *status),
                     tfs_error *error);

/// The status in a HealthCheckResponse: 1 serving, 2 not serving.
bool tfs_health_read(const tfs_message *reply, int32_t *status, tfs_error *error);

#ifdef __cplusplus
}
#endif

#ifdef __clang__
#pragma clang assume_nonnull end
#else
#undef _Nullable
#undef _Nonnull
#endif

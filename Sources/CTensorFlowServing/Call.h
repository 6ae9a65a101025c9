#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>

#include "Message.h"

struct tfs_channel {
  std::shared_ptr<grpc::Channel> channel;
  grpc::GenericStub stub;

  explicit tfs_channel(std::shared_ptr<grpc::Channel> opened)
      : channel(std::move(opened)), stub(channel) {}
};

// A unary call. Two events end it: gRPC's own, and a timer that answers the caller when gRPC cannot
// end the call, because a write to a frozen peer blocks it. The first to come answers; memory lasts
// until both came and the caller has released its handle.
struct tfs_call {
 public:
  // Starts a call; from here on `done` runs exactly once. The result belongs to the caller.
  static tfs_call *start(tfs_channel &channel, const char *method, const grpc::ByteBuffer &request,
                         const tfs_call_options &options);

  void cancel();
  void release();

 private:
  struct Event {
    tfs_call *call;
    void (tfs_call::*handle)();
  };

  explicit tfs_call(const tfs_call_options &options);
  ~tfs_call() = default;

  static grpc::CompletionQueue &queue();
  void finished();
  void timerEnded();
  void answer(int32_t code, const char *text, tfs_message *reply);

  std::atomic<int> owners_{3};  // the caller and the two events
  std::atomic<bool> answered_{false};
  std::atomic<bool> cancelled_{false};
  tfs_done done_;
  void *user_;
  Event finished_event_{this, &tfs_call::finished};
  Event timer_event_{this, &tfs_call::timerEnded};
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
  grpc::ByteBuffer reply_;
  grpc::Status status_;
  grpc::Alarm timer_;
};

#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "include/CModelServer.h"

// One server: a queue, the thread that empties it, and the calls in flight.
struct tfs_server {
  explicit tfs_server(const tfs_server_options &options);
  ~tfs_server();

  int32_t port() const { return port_; }
  void stop(int64_t grace_ms);

 private:
  friend struct tfs_server_call;

  void accept();
  void run();
  void called(tfs_server_call *call) { called_(user_, call); }
  void callEnded();

  tfs_called called_;
  void *user_;
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::thread thread_;
  std::mutex lock_;
  std::condition_variable changed_;
  int calls_ = 0;  // all that still have events to come or an owner; under lock_
  bool stopping_ = false;
};

// One call, from the wait for it to its end. Owned in parts: by each event still to come and, from
// the handler's start to its answer, by the handler.
struct tfs_server_call {
 public:
  explicit tfs_server_call(tfs_server &server) : server_(server) {}

  void accept();
  void reply(const grpc::ByteBuffer &message);
  void fail(int32_t code, const char *message);
  void watch(void *user, void (*over)(void *, bool));

  const grpc::GenericServerContext &context() const { return context_; }
  const grpc::ByteBuffer &request() const { return request_; }

  struct Event {
    tfs_server_call *call;
    void (tfs_server_call::*handle)(bool ok);
  };

 private:
  ~tfs_server_call() = default;

  void accepted(bool ok);
  void received(bool ok);
  void finished(bool ok);
  void ended(bool ok);
  void release();

  tfs_server &server_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  grpc::ByteBuffer request_;
  Event accepted_{this, &tfs_server_call::accepted};
  Event received_{this, &tfs_server_call::received};
  Event finished_{this, &tfs_server_call::finished};
  Event ended_{this, &tfs_server_call::ended};

  std::atomic<int> owners_{1};
  std::mutex lock_;  // guards what follows
  bool over_ = false;
  bool cancelled_ = false;
  void *watcher_ = nullptr;
  void (*over_callback_)(void *, bool) = nullptr;
};

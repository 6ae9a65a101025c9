#include "Server.h"

#include <grpcpp/security/server_credentials.h>
#include <pthread.h>

#include "Failure.h"

tfs_server::tfs_server(const tfs_server_options &options)
    : called_(options.called), user_(options.user) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(), &port_);
  builder.RegisterAsyncGenericService(&service_);
  builder.SetMaxReceiveMessageSize(-1);
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a port that is taken must fail
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 4 << 20);
  // Further calls of a connection wait at their sender, so that what is in flight is bounded.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 100);
  queue_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0) {
    if (server_ != nullptr) server_->Shutdown();
    queue_->Shutdown();
    void *tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) continue;
    throw tfs::Failure(tfs::kInvalidArgument,
                       "cannot listen on " + std::string(options.address) +
                           ": the address is taken, or not one of this machine");
  }
  thread_ = std::thread([this] { run(); });
  accept();
}

tfs_server::~tfs_server() {
  stop(0);
  queue_->Shutdown();
  thread_.join();
}

void tfs_server::accept() {
  {
    const std::lock_guard<std::mutex> guard(lock_);
    if (stopping_) return;
    ++calls_;
  }
  (new tfs_server_call(*this))->accept();
}

void tfs_server::run() {
  pthread_setname_np(pthread_self(), "tfs-server");
  void *tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
    const auto event = *static_cast<tfs_server_call::Event *>(tag);
    (event.call->*event.handle)(ok);
  }
}

void tfs_server::stop(int64_t grace_ms) {
  {
    const std::lock_guard<std::mutex> guard(lock_);
    if (stopping_) return;
    stopping_ = true;
  }
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(grace_ms));
  // Answers use the queue, which must live until the last one.
  std::unique_lock<std::mutex> guard(lock_);
  changed_.wait(guard, [this] { return calls_ == 0; });
}

void tfs_server::callEnded() {
  const std::lock_guard<std::mutex> guard(lock_);
  --calls_;
  changed_.notify_all();
}

void tfs_server_call::accept() {
  // Two events: the call itself, and its end, which only comes for a call that came.
  context_.AsyncNotifyWhenDone(&ended_);
  server_.service_.RequestCall(&context_, &stream_, server_.queue_.get(), server_.queue_.get(),
                               &accepted_);
}

void tfs_server_call::accepted(bool ok) {
  if (!ok) return release();
  ++owners_;  // `ended` will come
  server_.accept();
  stream_.Read(&request_, &received_);
}

void tfs_server_call::received(bool ok) {
  if (!ok) {  // no message: the caller is gone or speaks another protocol
    return fail(tfs::kInvalidArgument, "the call has no message");
  }
  server_.called(this);
}

void tfs_server_call::reply(const grpc::ByteBuffer &message) {
  stream_.WriteAndFinish(message, grpc::WriteOptions(), grpc::Status::OK, &finished_);
}

void tfs_server_call::fail(int32_t code, const char *message) {
  stream_.Finish(grpc::Status(static_cast<grpc::StatusCode>(code), message), &finished_);
}

void tfs_server_call::finished(bool) { release(); }

void tfs_server_call::ended(bool) {
  void (*callback)(void *, bool) = nullptr;
  bool cancelled = context_.IsCancelled();
  {
    const std::lock_guard<std::mutex> guard(lock_);
    over_ = true;
    cancelled_ = cancelled;
    callback = over_callback_;
  }
  if (callback != nullptr) callback(watcher_, cancelled);
  release();
}

void tfs_server_call::watch(void *user, void (*over)(void *, bool)) {
  bool is_over = false;
  {
    const std::lock_guard<std::mutex> guard(lock_);
    watcher_ = user;
    over_callback_ = over;
    is_over = over_;
  }
  if (is_over) over(user, cancelled_);
}

void tfs_server_call::release() {
  if (--owners_ > 0) return;
  tfs_server &server = server_;
  delete this;
  server.callEnded();
}

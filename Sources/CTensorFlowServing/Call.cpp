#include "Call.h"

#include <grpc/grpc.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace {

// At most ten years, since the clock counts nanoseconds in 64 bits.
std::chrono::system_clock::time_point fromNow(int64_t milliseconds) {
  constexpr int64_t kLongest = int64_t{10} * 365 * 24 * 3600 * 1000;
  return std::chrono::system_clock::now() +
         std::chrono::milliseconds(std::min(milliseconds, kLongest));
}

// gRPC aborts the process on headers HTTP/2 does not allow.
bool isLegal(const tfs_header &header) {
  const grpc_slice key = grpc_slice_from_static_string(header.key);
  const grpc_slice value = grpc_slice_from_static_string(header.value);
  return grpc_header_key_is_legal(key) != 0 && grpc_is_binary_header(key) == 0 &&
         grpc_header_nonbin_value_is_legal(value) != 0;
}

}  // namespace

// One queue and one thread for the process, never destroyed: a queue that dies with its last
// channel is what makes gRPC's own callback threads crash.
grpc::CompletionQueue &tfs_call::queue() {
  static grpc::CompletionQueue *const shared = [] {
    auto *queue = new grpc::CompletionQueue;
    std::thread([queue] {
      pthread_setname_np(pthread_self(), "tfs-calls");
      void *tag = nullptr;
      bool ok = false;
      while (queue->Next(&tag, &ok)) {
        const Event event = *static_cast<Event *>(tag);
        (event.call->*event.handle)();
      }
    }).detach();
    return queue;
  }();
  return *shared;
}

tfs_call::tfs_call(const tfs_call_options &options) : done_(options.done), user_(options.user) {
  context_.set_deadline(fromNow(options.timeout_ms));
  for (size_t i = 0; i < options.header_count; ++i) {
    const tfs_header &header = options.headers[i];
    if (isLegal(header)) context_.AddMetadata(header.key, header.value);
  }
}

tfs_call *tfs_call::start(tfs_channel &channel, const char *method, const grpc::ByteBuffer &request,
                          const tfs_call_options &options) {
  auto *call = new tfs_call(options);
  call->reader_ = channel.stub.PrepareUnaryCall(&call->context_, method, request, &queue());
  call->timer_.Set(&queue(), fromNow(options.timeout_ms + options.grace_ms), &call->timer_event_);
  call->reader_->StartCall();
  call->reader_->Finish(&call->reply_, &call->status_, &call->finished_event_);
  return call;
}

void tfs_call::cancel() {
  cancelled_ = true;
  context_.TryCancel();
  timer_.Cancel();  // its event answers at once, whether or not gRPC can end the call
}

void tfs_call::release() {
  if (--owners_ == 0) delete this;
}

void tfs_call::finished() {
  if (!status_.ok()) {
    answer(status_.error_code(), status_.error_message().c_str(), nullptr);
  } else {
    tfs_error error;
    auto *reply = tfs::guarded(&error, [&] { return tfs_message::from(reply_); });
    answer(error.code, error.message == nullptr ? "" : error.message, reply);
    tfs_error_clear(&error);
  }
  reply_.Clear();
  timer_.Cancel();
  release();
}

void tfs_call::timerEnded() {
  if (cancelled_) {
    answer(tfs::kCancelled, "cancelled", nullptr);
  } else if (!answered_) {
    context_.TryCancel();
    answer(tfs::kDeadlineExceeded, "the server does not read or answer", nullptr);
  }
  release();
}

void tfs_call::answer(int32_t code, const char *text, tfs_message *reply) {
  if (answered_.exchange(true)) {
    delete reply;
  } else {
    done_(user_, code, text, reply);
  }
}

void tfs_call_cancel(tfs_call *call) { call->cancel(); }

void tfs_call_release(tfs_call *call) {
  if (call != nullptr) call->release();
}

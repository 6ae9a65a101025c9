import CTensorFlowServing
import Synchronization

/// One call in flight: the bridge from the shim's callback to a continuation.
final class Call: Sendable {
  /// Starts a call on a channel with the options given; nil and an error when it cannot.
  typealias Start = (
    OpaquePointer, UnsafePointer<tfs_call_options>, UnsafeMutablePointer<tfs_error>
  ) -> OpaquePointer?

  private struct State: @unchecked Sendable {  // guarded by the mutex; the handle is thread-safe
    var continuation: CheckedContinuation<WireMessage, any Error>?
    var handle: OpaquePointer?
    var isCancelled = false
  }

  private let state = Mutex(State())

  /// gRPC cannot end a call whose write is blocked by a frozen peer; this long after its deadline the
  /// shim answers in its stead, and the memory stays lent.
  private static let grace = Duration.milliseconds(500)

  /// Makes a call and waits for its reply.
  ///
  /// - Throws: ``ShimError`` for how the call ended, `CancellationError` when the task is cancelled.
  static func run(
    on channel: Channel, timeout: Duration, headers: [String: String], start: Start
  ) async throws -> WireMessage {
    try Task.checkCancellation()
    let call = Call()
    do {
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          call.begin(continuation, channel, timeout, headers, start)
        }
      } onCancel: {
        call.cancel()
      }
    } catch let error as ShimError where error.code == .cancelled && Task.isCancelled {
      throw CancellationError()
    }
  }

  private func begin(
    _ continuation: CheckedContinuation<WireMessage, any Error>, _ channel: Channel,
    _ timeout: Duration, _ headers: [String: String], _ start: Start
  ) {
    state.withLock { $0.continuation = continuation }
    let selfPointer = Unmanaged.passRetained(self)
    let started: Result<OpaquePointer, ShimError> = withCStrings(
      headers.flatMap { [$0.key, $0.value] }
    ) { strings in
      let headers = stride(from: 0, to: strings.count, by: 2).map {
        tfs_header(key: strings[$0], value: strings[$0 + 1])
      }
      return headers.withUnsafeBufferPointer { headers in
        var options = tfs_call_options(
          timeout_ms: timeout.wholeMilliseconds, grace_ms: Self.grace.wholeMilliseconds,
          headers: headers.baseAddress, header_count: headers.count,
          done: { user, code, message, reply in
            guard let user else { return }
            Unmanaged<Call>.fromOpaque(user).takeRetainedValue().finish(code, message, reply)
          }, user: selfPointer.toOpaque())
        return Result { () throws(ShimError) in
          try checked { start(channel.handle, &options, $0) }!  // set when no error was
        }
      }
    }
    switch started {
    case .success(let handle): keep(handle)
    case .failure(let error):
      selfPointer.release()
      takeContinuation()?.resume(throwing: error)
    }
  }

  private func keep(_ handle: OpaquePointer) {
    let isCancelled = state.withLock { state in
      state.handle = handle
      return state.isCancelled
    }
    if isCancelled { tfs_call_cancel(handle) }
  }

  private func cancel() {
    let handle = state.withLock { state in
      state.isCancelled = true
      return state.handle
    }
    // Outside the lock, since gRPC has locks of its own; `self` keeps the handle.
    if let handle { tfs_call_cancel(handle) }
  }

  /// Runs on the queue's thread.
  private func finish(_ code: Int32, _ text: UnsafePointer<CChar>, _ reply: OpaquePointer?) {
    let continuation = takeContinuation()
    if let reply {
      continuation?.resume(returning: WireMessage(owning: reply))
    } else {
      let error = ShimError(code: StatusCode(rawValue: code), message: String(cString: text))
      continuation?.resume(throwing: error)
    }
  }

  private func takeContinuation() -> CheckedContinuation<WireMessage, any Error>? {
    state.withLock { state in
      defer { state.continuation = nil }
      return state.continuation
    }
  }

  deinit { tfs_call_release(state.withLock { $0.handle }) }
}

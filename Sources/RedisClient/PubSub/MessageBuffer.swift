import NIOCore
import Synchronization

/// Events on their way from the event loop to one reader, bounded in number and bytes: the oldest
/// messages give way, and the reader is told how many.
final class MessageBuffer: Sendable {
  /// Payloads beyond this are dropped too. A server gives a subscriber up at a backlog of 32 MiB.
  private static let byteLimit = 32 << 20

  private typealias Reader = CheckedContinuation<RedisSubscriptionEvent, any Error>

  private let limit: Int
  private let state = Mutex(State())

  private struct State {
    var events = CircularBuffer<RedisSubscriptionEvent>()
    var bytes = 0
    var dropped = 0
    var failure: (any Error)?
    var reader: Reader?

    mutating func popFirst() -> RedisSubscriptionEvent? {
      if dropped > 0 {
        defer { dropped = 0 }
        return .dropped(dropped)
      }
      let event = events.popFirst()
      bytes -= event?.size ?? 0
      return event
    }
  }

  init(limit: Int) {
    self.limit = max(limit, 1)
  }

  func append(_ event: RedisSubscriptionEvent) {
    let reader = state.withLock { state -> Reader? in
      guard state.failure == nil else { return nil }
      if let reader = state.reader {
        state.reader = nil
        return reader
      }
      state.events.append(event)
      state.bytes += event.size
      while state.events.count > limit || (state.bytes > Self.byteLimit && state.events.count > 1) {
        state.bytes -= state.events.removeFirst().size
        state.dropped += 1
      }
      return nil
    }
    reader?.resume(returning: event)
  }

  /// Ends the stream with an error, after what is in it.
  func finish(_ error: any Error) {
    let reader = state.withLock { state in
      if state.failure == nil { state.failure = error }
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(throwing: error)
  }

  /// The next event.
  ///
  /// - Throws: the error given to ``finish(_:)``, or `CancellationError`, which ends the stream.
  func next() async throws -> RedisSubscriptionEvent {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result = state.withLock { state -> Result<RedisSubscriptionEvent, any Error>? in
          if let event = state.popFirst() { return .success(event) }
          if let failure = state.failure { return .failure(failure) }
          precondition(state.reader == nil, "a subscription has one reader")
          state.reader = continuation
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      finish(CancellationError())
    }
  }
}

extension RedisSubscriptionEvent {
  fileprivate var size: Int {
    if case .message(let message) = self { message.payload.count } else { 0 }
  }
}

import NIOCore
import Synchronization

/// One write of one or more commands, and whoever waits for the replies.
///
/// It is finished exactly once: by its replies, a failure, its deadline or cancellation. A cancelled
/// request that was already written keeps its place in the connection's queue and swallows its
/// replies there, which makes cancelling independent of the queue's length.
final class Request: Sendable {
  /// The first command's name, for errors.
  let name: String
  let deadline: NIODeadline
  let isIdempotent: Bool
  private let isPipeline: Bool
  private let replyCount: Int

  private let state: Mutex<State>

  private struct State {
    /// Held to the end, since a server that is not the primary any more refuses what it is sent.
    var wire: ByteBuffer?
    var continuation: CheckedContinuation<RedisValue, any Error>?
    var isFinished = false
    var replies: [RedisValue] = []
    var repliesLeft: Int
  }

  init(_ command: RedisCommand, deadline: NIODeadline) throws(RedisError) {
    name = command.name
    self.deadline = deadline
    isIdempotent = command.isIdempotent
    isPipeline = false
    replyCount = 1
    state = Mutex(State(wire: try CommandEncoder.encode(command), repliesLeft: 1))
  }

  /// Several commands in one write. The result is the array of their replies.
  init(pipeline commands: [RedisCommand], deadline: NIODeadline) throws(RedisError) {
    precondition(!commands.isEmpty, "a pipeline needs a command")
    name = commands[0].name
    self.deadline = deadline
    isIdempotent = commands.allSatisfy(\.isIdempotent)
    isPipeline = true
    replyCount = commands.count
    state = Mutex(State(wire: try CommandEncoder.encode(commands), repliesLeft: replyCount))
  }

  /// Calls `submit` and waits for the outcome. To be used once.
  func value(submit: (Request) -> Void) async throws -> RedisValue {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { state in
          if !state.isFinished { state.continuation = continuation }
          return state.isFinished
        }
        // Cancellation may come before there is anything to cancel.
        if isCancelled {
          continuation.resume(throwing: CancellationError())
        } else {
          submit(self)
        }
      }
    } onCancel: {
      finish(.failure(CancellationError()))
    }
  }

  var isFinished: Bool { state.withLock { $0.isFinished } }

  /// The bytes to write, or nil when nobody waits any more.
  func takeWire() -> ByteBuffer? {
    state.withLock { $0.wire }
  }

  enum Progress {
    case expectsMore, finished
    /// The server is not the primary and has executed nothing: to be sent again to another.
    case refused
  }

  /// Takes a reply in.
  ///
  /// - Parameter mayRepeat: whether the request can be sent again; if not, a refusal is a result.
  func receive(_ value: RedisValue, mayRepeat: Bool) -> Progress {
    if !isPipeline {
      if mayRepeat, value.isRefusalOfNonPrimary { return .refused }
      finish(.success(value))
      return .finished
    }
    let (isLast, replies) = state.withLock { state -> (Bool, [RedisValue]) in
      state.repliesLeft -= 1
      if !state.isFinished { state.replies.append(value) }
      return state.repliesLeft == 0 ? (true, state.replies) : (false, [])
    }
    guard isLast else { return .expectsMore }
    let refusalCount = mayRepeat ? replies.count(where: \.isRefusalOfNonPrimary) : 0
    if refusalCount > 0, isIdempotent || refusalCount == replies.count { return .refused }
    finish(.success(.array(replies)))
    return .finished
  }

  /// Prepares a request to be written again.
  func rewind() {
    state.withLock { state in
      state.replies = []
      state.repliesLeft = replyCount
    }
  }

  func finish(_ result: Result<RedisValue, any Error>) {
    let continuation = state.withLock { state in
      state.isFinished = true
      state.wire = nil
      defer { state.continuation = nil }
      return state.continuation
    }
    continuation?.resume(with: result)
  }

  /// Fails with the command's name filled in.
  func fail(_ error: RedisError, outcomeUnknown: Bool) {
    finish(.failure(error.with(command: name, outcomeUnknown: outcomeUnknown)))
  }
}

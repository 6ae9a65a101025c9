import NIOCore
import Synchronization

/// The commands of many tasks over one connection after another: requests wait here while there is
/// none, and are written together once per turn of the event loop.
final class RequestLane: Sendable {
  private let inbox = Mutex<[Request]>([])
  private let eventLoop: any EventLoop
  private let state: NIOLoopBoundBox<State>

  init(eventLoop: any EventLoop, pendingLimit: Int) {
    self.eventLoop = eventLoop
    state = .makeBoxSendingValue(
      State(eventLoop: eventLoop, pendingLimit: pendingLimit), eventLoop: eventLoop)
  }

  /// Queues a request. One turn of the event loop takes all that have come by then.
  func submit(_ request: Request) {
    let isFirst = inbox.withLock { inbox in
      inbox.append(request)
      return inbox.count == 1
    }
    if isFirst { onLoop { _ in } }
  }

  func attach(_ connection: RedisConnection) {
    connection.onLoop { [self] handler in state.value.attach(handler) }
  }

  /// Notes why there is no connection. Waiting requests fail at once if trying again is pointless.
  func noteFailure(_ error: RedisError) {
    onLoop { $0.noteFailure(error) }
  }

  func retire(_ reason: RedisError) {
    onLoop { $0.retire(reason) }
  }

  /// Fails what waits and whatever comes.
  func close() {
    onLoop { $0.close() }
  }

  /// Calls `body` after the inbox was taken in.
  private func onLoop(_ body: @escaping @Sendable (State) -> Void) {
    eventLoop.execute { [self] in
      let requests = inbox.withLock { inbox in
        defer { inbox = [] }
        return inbox
      }
      state.value.take(requests)
      body(state.value)
    }
  }
}

extension RequestLane {
  /// What belongs to the event loop.
  fileprivate final class State {
    private let pendingLimit: Int
    private var pending = CircularBuffer<Request>()
    private var connection: ConnectionHandler?
    private var lastFailure: RedisError?
    private var isClosed = false
    private let eventLoop: any EventLoop
    private lazy var timer = DeadlineTimer(eventLoop: eventLoop) { [weak self] in self?.expire() }

    init(eventLoop: any EventLoop, pendingLimit: Int) {
      self.eventLoop = eventLoop
      self.pendingLimit = pendingLimit
    }

    func take(_ requests: [Request]) {
      guard !requests.isEmpty else { return }
      guard !isClosed else {
        for request in requests { request.fail(.stopped, outcomeUnknown: false) }
        return
      }
      let room = pendingLimit - pending.count - (connection?.requestCount ?? 0)
      for request in requests.dropFirst(max(room, 0)) {
        request.fail(
          RedisError(.tooManyPending, reason: "\(pendingLimit) commands are waiting already"),
          outcomeUnknown: false)
      }
      let accepted = requests.prefix(max(room, 0))
      if let connection {
        connection.write(accepted)
      } else {
        for request in accepted where !request.isFinished {
          pending.append(request)
          timer.arm(request.deadline)
        }
      }
    }

    func attach(_ handler: ConnectionHandler) {
      guard handler.isOpen else { return }
      guard !isClosed else { return handler.end(.stopped) }
      connection = handler
      lastFailure = nil
      handler.onUnavailable = { [unowned self, unowned handler] in
        if connection === handler { connection = nil }
      }
      handler.onEnd = { [unowned self] resend, reason in
        noteFailure(reason)
        for request in resend.reversed() { pending.prepend(request) }
        for request in resend { timer.arm(request.deadline) }
        if let connection { writePending(connection) }
      }
      writePending(handler)
    }

    private func writePending(_ connection: ConnectionHandler) {
      timer.disarm()
      let requests = pending
      pending.removeAll()
      connection.write(requests)
    }

    func noteFailure(_ error: RedisError) {
      guard !isClosed else { return }
      lastFailure = error
      if !error.isRetryable, error.code != .protocolViolation { failPending(error) }
    }

    func retire(_ reason: RedisError) {
      connection?.retire(reason)
    }

    func close() {
      isClosed = true
      connection?.end(.stopped)
      failPending(.stopped)
    }

    private func failPending(_ error: RedisError) {
      timer.disarm()
      for request in pending { request.fail(error, outcomeUnknown: false) }
      pending.removeAll()
    }

    private func expire() {
      let now = NIODeadline.now()
      let error = RedisError(
        .connectionFailed,
        reason: lastFailure.map { $0.reason } ?? "the client's run() has not connected yet")
      for request in pending where request.deadline <= now {
        request.fail(error, outcomeUnknown: false)
      }
      pending.removeAll { $0.isFinished }
      if let next = pending.lazy.map(\.deadline).min() { timer.arm(next) }
    }
  }
}

extension RedisError {
  static let stopped = RedisError(.notRunning, reason: "the client has stopped")
}

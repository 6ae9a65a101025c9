import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Opens connections: TCP, TLS, login and a first reply within one deadline.
struct Connector: Sendable {
  let configuration: RedisConfiguration
  let eventLoop: any EventLoop
  private let tls: TLSContexts?
  private let openings = Openings()

  init(_ configuration: RedisConfiguration, eventLoop: any EventLoop) {
    self.configuration = configuration
    self.eventLoop = eventLoop
    tls = configuration.tls.map { TLSContexts($0) }
  }

  /// Opens a connection and learns what the server is. A Sentinel may have refused the login, which
  /// is meant for Redis.
  ///
  /// - Throws: ``RedisError`` with the address and a hint, or `CancellationError`.
  func connect(to endpoint: RedisEndpoint, until deadline: NIODeadline) async throws
    -> (RedisConnection, ServerRole)
  {
    let deadline = min(deadline, .now() + TimeAmount(configuration.connectTimeout))
    let attempt = ConnectionAttempt(eventLoop: eventLoop)
    openings.add(attempt, endpoint)
    defer { openings.remove(attempt) }
    do {
      let connection = try await open(endpoint, attempt, until: deadline)
      do {
        return (connection, try await logIn(connection, until: deadline))
      } catch {
        connection.close("the login failed")
        throw error
      }
    } catch let error as RedisError {
      if error.code == .tlsFailed { tls?.reload() }
      throw error.whileConnecting(to: endpoint, hint: hint(for: error))
    }
  }

  /// Gives up what is being opened to other addresses than this.
  func abandonAll(but endpoint: RedisEndpoint, _ reason: RedisError) {
    for attempt in openings.attempts(notTo: endpoint) { attempt.abandon(reason) }
  }

  /// What to look at when the peer hangs up or is silent where a Redis would have answered.
  private func hint(for error: RedisError) -> String? {
    switch (error.code, tls) {
    case (.connectionLost, nil) where !RedisError.announcesHangUp(error.reason):
      "before its first reply: does this port expect TLS (REDIS_TLS)?"
    case (.timedOut, nil): "is this a Redis, and does it expect TLS (REDIS_TLS)?"
    case (.timedOut, _?), (.connectionLost, _?): "does this port speak TLS (REDIS_TLS)?"
    default: nil
    }
  }

  private func open(
    _ endpoint: RedisEndpoint, _ attempt: ConnectionAttempt, until deadline: NIODeadline
  ) async throws -> RedisConnection {
    let context = try tls?.context()
    return try await withTaskCancellationHandler {
      attempt.start(
        until: deadline,
        connect: {
          bootstrap(endpoint, context, until: deadline)
            .connect(host: endpoint.host, port: endpoint.port)
        }, endpoint: endpoint)
      return try await attempt.result.get()
    } onCancel: {
      attempt.cancel()
    }
  }

  private func bootstrap(
    _ endpoint: RedisEndpoint, _ context: NIOSSLContext?, until deadline: NIODeadline
  ) -> ClientBootstrap {
    let limits = configuration.limits
    return ClientBootstrap(group: eventLoop)
      .connectTimeout(max(deadline - .now(), .milliseconds(1)))
      // A peer that vanished while nothing was sent is noticed by the system after a minute.
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: 30)
      .channelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: 10)
      .channelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 3)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let tls, let context {
            try pipeline.addHandler(tls.makeHandler(context, host: endpoint.host))
          }
          try pipeline.addHandler(
            ConnectionHandler(
              eventLoop: channel.eventLoop, limits: limits, awaitsTLS: context != nil))
        }
      }
  }

  private func logIn(_ connection: RedisConnection, until deadline: NIODeadline) async throws
    -> ServerRole
  {
    let steps = LoginStep.steps(configuration)
    let request = try Request(pipeline: steps.map(\.command), deadline: deadline)
    let replies = try await connection.send(request).array ?? []
    let role = ServerRole(replies.last)
    if case .sentinel = role { return role }
    for (step, reply) in zip(steps, replies) {
      if let message = reply.errorMessage, let error = step.error(message) { throw error }
    }
    return role
  }
}

/// The attempts under way.
private final class Openings: Sendable {
  private typealias Entry = (attempt: ConnectionAttempt, endpoint: RedisEndpoint)

  private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

  func add(_ attempt: ConnectionAttempt, _ endpoint: RedisEndpoint) {
    entries.withLock { $0[ObjectIdentifier(attempt)] = (attempt, endpoint) }
  }

  func remove(_ attempt: ConnectionAttempt) {
    _ = entries.withLock { $0.removeValue(forKey: ObjectIdentifier(attempt)) }
  }

  func attempts(notTo endpoint: RedisEndpoint) -> [ConnectionAttempt] {
    entries.withLock { entries in
      entries.values.filter { $0.endpoint != endpoint }.map(\.attempt)
    }
  }
}

extension TimeAmount {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    // A wait of centuries is as good as any.
    self = .nanoseconds(overflow ? .max / 4 : min(whole + attoseconds / 1_000_000_000, .max / 4))
  }
}

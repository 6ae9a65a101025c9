import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Redis for many tasks at once.
///
/// Commands share one connection, which ``run()`` opens and, when it breaks, opens again; until then
/// they wait, each up to its timeout. Commands that block on the server and subscriptions have
/// connections of their own.
///
/// ```swift
/// try await RedisClient.withClient(RedisConfiguration(host: "localhost")) { redis in
///   try await redis.command("HSET", "predict:a.tif:1", "status", "done")
///   let fields: [String: String] = try await redis.command("HGETALL", "predict:a.tif:1").decode()
/// }
/// ```
public final class RedisClient: Sendable {
  /// One thread serves the connections of all clients in the process.
  private static let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  public let configuration: RedisConfiguration
  let logger: Logger
  let observer: (any RedisObserver)?
  let lane: RequestLane
  let connector: Connector
  private let provider: any RedisEndpointProvider
  let connections = Mutex(Connections())

  /// - Parameters:
  ///   - provider: finds the primary; nil to use the configured endpoints as they are.
  ///   - observer: is told of each command, for metrics.
  public init(
    _ configuration: RedisConfiguration, provider: (any RedisEndpointProvider)? = nil,
    logger: Logger = Logger(label: "redis"), observer: (any RedisObserver)? = nil
  ) {
    self.configuration = configuration
    self.logger = logger
    self.observer = observer
    self.provider = provider ?? NamedEndpoints(endpoints: configuration.endpoints)
    let eventLoop = Self.eventLoops.next()
    lane = RequestLane(eventLoop: eventLoop, pendingLimit: configuration.pendingLimit)
    connector = Connector(configuration, eventLoop: eventLoop)
  }

  /// Runs `body` with a client that is connected meanwhile.
  public static func withClient<Result>(
    _ configuration: RedisConfiguration, logger: Logger = Logger(label: "redis"),
    _ body: (RedisClient) async throws -> Result
  ) async rethrows -> Result {
    let client = RedisClient(configuration, logger: logger)
    // Leaving the scope cancels it and waits for it.
    async let _ = client.run()
    return try await body(client)
  }

  /// Connects, and connects again after each loss, until the task is cancelled; then closes all
  /// connections and returns. To be called once.
  public func run() async {
    connections.withLock { connections in
      precondition(!connections.hasRun, "a client's run() can be called once")
      connections.hasRun = true
    }
    var backoff = Backoff(limit: configuration.reconnectDelayLimit)
    var attempt = 0
    while !Task.isCancelled {
      do {
        try await Task.sleep(for: backoff.next())
        let deadline = NIODeadline.now() + TimeAmount(configuration.connectTimeout)
        let connection = try await connect(attempt: attempt, until: deadline)
        attempt = 0
        let start = ContinuousClock.now
        await serve(connection)
        // A server that accepts connections only to drop them is not asked without pauses.
        if start.duration(to: .now) > .seconds(1) { backoff.reset() }
      } catch let error as RedisError {
        attempt += 1
        report(.disconnected(error))
        lane.noteFailure(error)
      } catch {
        if !(error is CancellationError) {
          let error = RedisError(.connectionFailed, reason: "\(error)")
          report(.disconnected(error))
          lane.noteFailure(error)
        }
      }
    }
    lane.close()
    await closeAll()
  }

  private func serve(_ connection: RedisConnection) async {
    lane.attach(connection)
    report(.connected(connection.endpoint))
    report(.disconnected(await connection.waitUntilUnavailable()))
  }

  private func report(_ state: RedisConnectionState) {
    observer?.connectionChanged(state)
    switch state {
    case .connected(let endpoint):
      logger.debug("connected", metadata: ["endpoint": "\(endpoint)"])
    case .disconnected(let error):
      logger.debug("not connected", metadata: ["error": "\(error)"])
    }
  }

  /// Gives up the connection for commands after those written are answered, and looks for the
  /// primary again.
  func reconnect(_ reason: String) {
    logger.debug("looking for the primary again", metadata: ["reason": "\(reason)"])
    lane.retire(RedisError(.connectionLost, reason: reason))
    for connection in connections.withLock({ $0.takeIdle() }) { connection.close(reason) }
  }

  // MARK: Connections

  /// Opens a connection to the primary; it is closed by the end of `run()` at the latest.
  func connect(attempt: Int, until deadline: NIODeadline) async throws -> RedisConnection {
    if connections.withLock({ $0.isStopped }) { throw RedisError.stopped }
    let endpoint = try await provider.primary(attempt: attempt)
    let connection = try await connector.connect(to: endpoint, until: deadline)
    guard connections.withLock({ $0.add(connection) }) else {
      connection.close("the client stops")
      throw RedisError.stopped
    }
    connection.onClose { [weak self] in
      self?.connections.withLock { $0.remove(connection) }
    }
    return connection
  }

  /// Opens a connection, and tries again until the deadline.
  ///
  /// - Parameter name: the command it is for, for errors.
  func newConnection(until deadline: NIODeadline, for name: String) async throws -> RedisConnection
  {
    var backoff = Backoff(limit: configuration.reconnectDelayLimit)
    var attempt = 0
    while true {
      do {
        return try await connect(attempt: attempt, until: deadline)
      } catch let error as RedisError {
        attempt += 1
        let pause = backoff.next()
        guard error.isRetryable, NIODeadline.now() + TimeAmount(pause) < deadline else {
          throw error.with(command: name, outcomeUnknown: false)
        }
        try await Task.sleep(for: pause)
      }
    }
  }

  private func closeAll() async {
    let open = connections.withLock { $0.stop() }
    for connection in open { connection.close("the client stops") }
    for connection in open { await connection.waitUntilClosed() }
  }
}

/// A client's open connections.
struct Connections {
  /// Idle ones beyond this are closed.
  private static let idleLimit = 4

  private var open: [ObjectIdentifier: RedisConnection] = [:]
  private var idle: [RedisConnection] = []
  private(set) var isStopped = false
  var hasRun = false

  /// Returns false when the client has stopped.
  mutating func add(_ connection: RedisConnection) -> Bool {
    if !isStopped { open[ObjectIdentifier(connection)] = connection }
    return !isStopped
  }

  mutating func remove(_ connection: RedisConnection) {
    open[ObjectIdentifier(connection)] = nil
    idle.removeAll { $0 === connection }
  }

  mutating func stop() -> [RedisConnection] {
    isStopped = true
    return Array(open.values)
  }

  /// Keeps a connection for later use; returns false when there are enough.
  mutating func park(_ connection: RedisConnection) -> Bool {
    guard !isStopped, idle.count < Self.idleLimit, open[ObjectIdentifier(connection)] != nil
    else { return false }
    idle.append(connection)
    return true
  }

  mutating func unpark() -> RedisConnection? { idle.popLast() }

  mutating func takeIdle() -> [RedisConnection] {
    defer { idle = [] }
    return idle
  }
}

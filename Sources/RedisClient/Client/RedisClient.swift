import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Redis for many tasks at once.
///
/// Everything goes to the primary. Where ``RedisConfiguration/endpoints`` are Sentinels, they are
/// asked for it, and a failover is followed: commands that the old primary refused go to the new one,
/// and those it did not answer as well if they are idempotent.
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
  let discovery: PrimaryDiscovery
  let connections = Mutex(Connections())
  let connectionCount = ConnectionCount()

  /// - Parameter observer: is told of each command, for metrics.
  public init(
    _ configuration: RedisConfiguration, logger: Logger = Logger(label: "redis"),
    observer: (any RedisObserver)? = nil
  ) {
    self.configuration = configuration
    self.logger = logger
    self.observer = observer
    let eventLoop = Self.eventLoops.next()
    discovery = PrimaryDiscovery(configuration, eventLoop: eventLoop, logger: logger)
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
    await withTaskGroup { group in
      group.addTask {
        await self.discovery.watch(retryLimit: self.configuration.reconnectDelayLimit) {
          self.primaryMoved(to: $0)
        }
      }
      group.addTask { await self.keepConnected() }
      await group.waitForAll()
    }
    lane.close()
    await closeAll()
  }

  private func keepConnected() async {
    var backoff = Backoff(limit: configuration.reconnectDelayLimit)
    while !Task.isCancelled {
      do {
        try await Task.sleep(for: pause(&backoff))
        let deadline = NIODeadline.now() + TimeAmount(configuration.connectTimeout)
        let connection = try await connect(until: deadline)
        let start = ContinuousClock.now
        await serve(connection)
        // A server that accepts connections only to drop them is not asked without pauses.
        if start.duration(to: .now) > .seconds(1) { backoff.reset() }
      } catch let error as RedisError {
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
  }

  private func serve(_ connection: RedisConnection) async {
    discovery.confirm(connection.endpoint)
    connectionCount.increment()
    lane.attach(connection)
    report(.connected(connection.endpoint))
    let reason = await connection.waitUntilUnavailable()
    discovery.lost(connection.endpoint)
    report(.disconnected(reason))
    // The others may not have noticed yet, and are not to outlive a failover.
    leave(reason.reason) { $0.endpoint == connection.endpoint }
  }

  private func report(_ state: RedisConnectionState) {
    observer?.connectionChanged(state)
    let isNews = connections.withLock { $0.noteOutage(state) } && !Task.isCancelled
    switch state {
    case .connected(let endpoint):
      logger.log(
        level: isNews ? .info : .debug, "connected", metadata: ["endpoint": "\(endpoint)"])
    case .disconnected(let error):
      logger.log(
        level: isNews ? .warning : .debug, "not connected", metadata: ["error": "\(error)"])
    }
  }

  /// Gives up the connections after those commands written are answered, and looks for the primary
  /// again.
  func reconnect(_ reason: String) {
    logger.debug("looking for the primary again", metadata: ["reason": "\(reason)"])
    lane.retire(RedisError(.connectionLost, reason: reason))
    for connection in connections.withLock({ $0.takeIdle() }) { connection.close(reason) }
  }

  /// Leaves all other servers.
  private func primaryMoved(to endpoint: RedisEndpoint) {
    let reason = "the primary is now \(endpoint)"
    connector.abandonAll(but: endpoint, RedisError(.connectionFailed, reason: reason))
    leave(reason) { $0.endpoint != endpoint }
  }

  private func leave(_ reason: String, where condition: (RedisConnection) -> Bool) {
    for connection in connections.withLock({ $0.take(where: condition) }) {
      connection.leave(reason)
    }
  }

  // MARK: Connections

  /// Behind Sentinels another server may become the primary at any moment.
  private static let failoverDelayLimit = Duration.milliseconds(500)

  private func pause(_ backoff: inout Backoff) -> Duration {
    backoff.next(atMost: discovery.usesSentinels ? Self.failoverDelayLimit : nil)
  }

  /// Opens a connection to the primary; it is closed by the end of `run()` at the latest.
  private func connect(until deadline: NIODeadline) async throws -> RedisConnection {
    if connections.withLock({ $0.isStopped }) { throw RedisError.stopped }
    let connection = try await connectToPrimary(until: deadline)
    guard connections.withLock({ $0.add(connection) }) else {
      connection.close("the client stops")
      throw RedisError.stopped
    }
    connection.onClose { [weak self] in
      self?.connections.withLock { $0.remove(connection) }
    }
    return connection
  }

  private func connectToPrimary(until deadline: NIODeadline) async throws -> RedisConnection {
    let endpoint = try await discovery.primary(until: deadline)
    do {
      let (connection, role) = try await connector.connect(to: endpoint, until: deadline)
      switch role {
      case .primary, .unknown: return connection
      case .replica(let primary):
        connection.close("it is a replica")
        throw RedisError.notPrimary(endpoint, follows: primary)
      case .sentinel:
        connection.close("it is a Sentinel")
        guard discovery.metSentinel(at: endpoint) else {
          throw RedisError(.connectionFailed, reason: "\(endpoint) is a Sentinel, not the primary")
        }
        return try await connectToPrimary(until: deadline)
      }
    } catch {
      if error is RedisError { discovery.doubt(endpoint) }
      throw error
    }
  }

  /// Opens a connection, and tries again until the deadline.
  ///
  /// - Parameter name: the command it is for, for errors.
  func newConnection(until deadline: NIODeadline, for name: String) async throws -> RedisConnection
  {
    var backoff = Backoff(limit: configuration.reconnectDelayLimit)
    while true {
      do {
        return try await connect(until: deadline)
      } catch let error as RedisError {
        let pause = pause(&backoff)
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
  /// Whether commands have no connection, which was told.
  private var isOut = false

  /// Those that are not to be used any more.
  mutating func take(where condition: (RedisConnection) -> Bool) -> [RedisConnection] {
    idle.removeAll(where: condition)
    return open.values.filter(condition)
  }

  /// Returns whether this begins or ends an outage.
  mutating func noteOutage(_ state: RedisConnectionState) -> Bool {
    let wasOut = isOut
    if case .disconnected = state { isOut = true } else { isOut = false }
    return isOut != wasOut
  }

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

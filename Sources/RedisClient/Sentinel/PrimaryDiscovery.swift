import Logging
import NIOCore
import Synchronization

/// Knows where the primary is: at the one configured address, or where Sentinels say.
final class PrimaryDiscovery: Sendable {
  /// Sentinels kept beyond those configured.
  private static let learnedLimit = 16

  let connector: Connector
  private let configuration: RedisConfiguration
  let logger: Logger
  private let state: Mutex<State>

  /// Yields once when the first Sentinel is met.
  let sentinelsMet: AsyncStream<Void>
  private let meetSentinels: AsyncStream<Void>.Continuation

  private struct State {
    /// Whom to ask, in this order.
    var addresses: [RedisEndpoint]
    /// Whether to ask at all: one address is first taken for the primary's.
    var asks: Bool
    var usesSentinels = false
    /// The name under which Sentinels watch the primary.
    var name: String?
    /// The primary that commands are being sent to.
    var current: RedisEndpoint?
    /// The last that was one.
    var last: RedisEndpoint?
    var lastEpoch = 0
    /// A primary that a Sentinel has announced by itself.
    var announced: RedisEndpoint?
    /// The last report, until it proves right or wrong.
    var report: PrimaryReport?
    var hasWarnedOfSilence = false
    var hasWarnedOfChoice = false
  }

  init(_ configuration: RedisConfiguration, eventLoop: any EventLoop, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    var own = configuration
    own.database = 0
    if configuration.sentinel.password != nil {
      own.username = configuration.sentinel.username
      own.password = configuration.sentinel.password
    }
    connector = Connector(own, eventLoop: eventLoop)
    (sentinelsMet, meetSentinels) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    state = Mutex(
      State(
        addresses: configuration.endpoints,
        asks: configuration.endpoints.count != 1 || configuration.sentinel.isGiven))
  }

  var usesSentinels: Bool { state.withLock { $0.usesSentinels } }
  var primaryName: String? { state.withLock { $0.name } }
  var addresses: [RedisEndpoint] { state.withLock { $0.addresses } }
  /// The primary that commands are being sent to.
  var current: RedisEndpoint? { state.withLock { $0.current } }

  /// The primary's address as far as it can be known now.
  ///
  /// - Throws: ``RedisError`` when nobody knows; `CancellationError`.
  func primary(until deadline: NIODeadline) async throws -> RedisEndpoint {
    let known = state.withLock { state -> RedisEndpoint? in
      if !state.asks { return state.addresses[0] }
      defer { state.announced = nil }
      return state.announced ?? state.current
    }
    if let known { return known }
    do {
      return try await ask(until: deadline).primary
    } catch let error as RedisError {
      // Sentinels that are away do not make a primary useless that says itself that it is one.
      guard error.isRetryable, let last = noteSilence(error) else { throw error }
      return last
    }
  }

  /// Asks everybody known, the best first. Takes half the time to connect at most: the other half is
  /// for the primary.
  func ask(until deadline: NIODeadline) async throws -> PrimaryReport {
    let (addresses, epoch) = state.withLock { ($0.addresses, $0.lastEpoch) }
    let deadline = min(deadline, .now() + TimeAmount(configuration.connectTimeout / 2))
    let query = SentinelQuery(
      connector: connector, primaryName: configuration.sentinel.primaryName)
    let report = try await SentinelRound(query: query, addresses: addresses, knownEpoch: epoch)
      .run(until: deadline)
    accept(report)
    return report
  }

  // MARK: What turned out

  /// The one configured address, taken for the primary's, is that of a Sentinel, which is to be asked
  /// from now on.
  ///
  /// - Returns: false if it was not just taken for the primary: a Sentinel has named it.
  func metSentinel(at endpoint: RedisEndpoint) -> Bool {
    let (isFirst, wasGuess) = state.withLock { state -> (Bool, Bool) in
      defer {
        state.asks = true
        state.usesSentinels = true
      }
      // Of two connections at the start both may have been made on the guess.
      let isSecond = state.last == nil && state.report?.primary != endpoint
      return (!state.asks, !state.asks || isSecond)
    }
    if isFirst { meetSentinels.yield() }
    return wasGuess
  }

  /// Commands are being sent to this server, which is the primary.
  func confirm(_ endpoint: RedisEndpoint) {
    let change = state.withLock { state -> (name: String, from: RedisEndpoint?)? in
      defer {
        state.current = endpoint
        state.last = endpoint
      }
      if let report = state.report, report.primary == endpoint { state.lastEpoch = report.epoch }
      guard state.usesSentinels, let name = state.name, state.last != endpoint else { return nil }
      return (name, state.last)
    }
    guard let change else { return }
    var metadata: Logger.Metadata = ["name": "\(change.name)", "primary": "\(endpoint)"]
    metadata["previous"] = change.from.map { "\($0)" }
    logger.info("the Sentinels name the primary", metadata: metadata)
  }

  /// There is no connection for commands any more: the next one is to where the primary is then.
  func lost(_ endpoint: RedisEndpoint) {
    state.withLock { state in
      if state.current == endpoint { state.current = nil }
    }
  }

  /// The server does not answer or is not the primary. Whoever reported it is asked last next time.
  func doubt(_ endpoint: RedisEndpoint) {
    state.withLock { state in
      if state.current == endpoint { state.current = nil }
      guard let report = state.report, report.primary == endpoint else { return }
      state.report = nil
      if let index = state.addresses.firstIndex(of: report.source) {
        state.addresses.append(state.addresses.remove(at: index))
      }
    }
  }

  /// A Sentinel has announced a failover.
  func announce(_ endpoint: RedisEndpoint, by source: RedisEndpoint) {
    state.withLock { state in
      state.announced = endpoint
      if state.current != endpoint { state.current = nil }
      if let index = state.addresses.firstIndex(of: source) {
        state.addresses.insert(state.addresses.remove(at: index), at: 0)
      }
    }
  }

  /// Whether a report tells of a failover after the last primary was found.
  func isNews(_ report: PrimaryReport) -> Bool {
    state.withLock { state in
      report.primary != state.last && report.epoch > state.lastEpoch
    }
  }

  private func accept(_ report: PrimaryReport) {
    let (isFirst, warnsOfChoice, wasSilent) = state.withLock { state -> (Bool, Bool, Bool) in
      state.report = report
      if report.primary == state.current { state.lastEpoch = max(state.lastEpoch, report.epoch) }
      guard let name = report.name else { return (false, false, false) }
      let learned = report.peers.filter { !configuration.endpoints.contains($0) }
        .prefix(Self.learnedLimit)
      state.addresses = state.addresses.filter {
        configuration.endpoints.contains($0) || learned.contains($0) || $0 == report.source
      }
      state.addresses += learned.filter { !state.addresses.contains($0) }
      let isChoice =
        report.names.count > 1 && configuration.sentinel.primaryName == nil
        && name != SentinelQuery.usualName
      defer {
        state.name = name
        state.usesSentinels = true
        state.hasWarnedOfSilence = false
        state.hasWarnedOfChoice = state.hasWarnedOfChoice || isChoice
      }
      return (
        !state.usesSentinels, isChoice && !state.hasWarnedOfChoice, state.hasWarnedOfSilence
      )
    }
    if isFirst { meetSentinels.yield() }
    if wasSilent {
      logger.info("a Sentinel names the primary again", metadata: ["sentinel": "\(report.source)"])
    }
    if warnsOfChoice {
      logger.warning(
        "the Sentinel watches several primaries; the first by name is used, see REDIS_SENTINEL_MASTER",
        metadata: [
          "name": "\(report.name ?? "")",
          "names": "\(report.names.sorted().joined(separator: ", "))",
        ])
    }
  }

  /// Warns once until one answers again.
  ///
  /// - Returns: the last primary that Sentinels named, if there was one.
  @discardableResult
  func noteSilence(_ error: RedisError) -> RedisEndpoint? {
    let (last, isNew) = state.withLock { state -> (RedisEndpoint?, Bool) in
      defer { state.hasWarnedOfSilence = true }
      guard state.usesSentinels else { return (nil, false) }
      return (state.last, !state.hasWarnedOfSilence)
    }
    if isNew {
      logger.warning(
        "no Sentinel names the primary",
        metadata: [
          "error": "\(error)", "last_primary": "\(last.map(\.description) ?? "none")",
        ])
    }
    return last
  }
}

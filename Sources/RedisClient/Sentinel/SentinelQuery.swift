import NIOCore

/// What was learned of the primary by asking one address.
struct PrimaryReport: Sendable {
  let primary: RedisEndpoint
  /// Who says so; the primary itself where no Sentinel is involved.
  let source: RedisEndpoint
  /// Grows with each failover. A Sentinel that is cut off from the others has an old one.
  var epoch = 0
  /// The name of the primary among those the Sentinel watches; nil when the source is no Sentinel.
  var name: String?
  /// All names it watches.
  var names: [String] = []
  /// The other Sentinels it knows.
  var peers: [RedisEndpoint] = []
}

/// Asks a Redis or Sentinel process for the primary.
struct SentinelQuery: Sendable {
  let connector: Connector
  /// The setting; nil to choose.
  let primaryName: String?

  /// - Throws: ``RedisError`` when the address does not answer or knows no primary;
  ///   `CancellationError`.
  func ask(_ address: RedisEndpoint, until deadline: NIODeadline) async throws -> PrimaryReport {
    let (connection, role) = try await connector.connect(to: address, until: deadline)
    defer { connection.close("the question is answered") }
    switch role {
    case .primary: return PrimaryReport(primary: address, source: address)
    case .replica(let primary):
      throw RedisError.notPrimary(address, follows: primary)
    case .sentinel(let names):
      return try await ask(connection, names, until: deadline)
    case .unknown:
      // What is no Sentinel answers this with an error.
      let request = try Request(RedisCommand("SENTINEL", "MASTERS"), deadline: deadline)
      guard let sets = try await connection.send(request).array else {
        return PrimaryReport(primary: address, source: address)
      }
      let names = sets.compactMap { SentinelFields($0)["name"] }
      return try await ask(connection, names, until: deadline)
    }
  }

  private func ask(
    _ connection: RedisConnection, _ names: [String], until deadline: NIODeadline
  ) async throws -> PrimaryReport {
    let sentinel = connection.endpoint
    guard let name = choose(names) else {
      throw RedisError(
        .connectionFailed,
        reason: "the Sentinel \(sentinel) "
          + (names.isEmpty
            ? "watches no primary"
            : "knows no \(primaryName ?? ""), only \(names.sorted().joined(separator: ", ")); "
              + "see REDIS_SENTINEL_MASTER"))
    }
    let commands = ["GET-MASTER-ADDR-BY-NAME", "MASTER", "SENTINELS"].map {
      RedisCommand("SENTINEL", $0, name)
    }
    let request = try Request(pipeline: commands, deadline: deadline)
    let replies = try await connection.send(request).array ?? []
    guard replies.count == commands.count else {
      throw RedisError(.unexpectedReply, reason: "\(sentinel): replies are missing")
    }
    let address = replies[0].array ?? []
    guard address.count == 2,
      let primary = RedisEndpoint(announced: address[0].string, address[1].integer)
    else {
      throw RedisError(
        .connectionFailed,
        reason: "the Sentinel \(sentinel) gives no address for \(name)"
          + (replies[0].errorMessage.map { ": \($0)" } ?? ""))
    }
    return PrimaryReport(
      primary: primary, source: sentinel,
      epoch: SentinelFields(replies[1])["config-epoch"].flatMap { Int($0) } ?? 0,
      name: name, names: names,
      peers: (replies[2].array ?? []).compactMap { SentinelFields($0).endpoint })
  }

  private func choose(_ names: [String]) -> String? {
    if let primaryName { return names.contains(primaryName) ? primaryName : nil }
    return names.contains(Self.usualName) ? Self.usualName : names.min()
  }

  static let usualName = "mymaster"
}

/// The names and values by which a Sentinel describes an instance.
private struct SentinelFields {
  private var values: [String: String] = [:]

  init(_ reply: RedisValue) {
    let parts = reply.array ?? []
    for index in stride(from: 0, to: parts.count - 1, by: 2) {
      if let name = parts[index].string { values[name] = parts[index + 1].string }
    }
  }

  subscript(name: String) -> String? { values[name] }

  var endpoint: RedisEndpoint? {
    RedisEndpoint(announced: values["ip"], values["port"].flatMap { Int($0) })
  }
}

extension RedisError {
  static func notPrimary(_ endpoint: RedisEndpoint, follows primary: RedisEndpoint?) -> RedisError {
    RedisError(
      .connectionFailed,
      reason: "\(endpoint) is a replica" + (primary.map { " of \($0)" } ?? "")
        + ", which takes no writes; REDIS_HOST is to name the primary or its Sentinels")
  }
}

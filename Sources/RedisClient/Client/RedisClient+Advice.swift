extension RedisClient {
  /// Looks at those settings of the server that decide whether jobs can get lost, and says in a
  /// sentence each what should be changed, or could not be seen. Empty if all is well.
  ///
  /// - Parameter timeout: for waiting for a connection and the replies together; nil for the
  ///   configured one.
  /// - Throws: ``RedisError`` when the server does not answer; `CancellationError`.
  public func advice(timeout: Duration? = nil) async throws -> [String] {
    let replies = try await pipeline(
      ServerSettings.names.map { RedisCommand("CONFIG", "GET", $0, idempotent: true) }
        + [RedisCommand("INFO", "replication", idempotent: true)],
      timeout: timeout)
    return ServerSettings(replies).advice
  }
}

/// What was learned of the server's settings; nil for what it does not tell.
struct ServerSettings {
  static let names = ["maxmemory-policy", "appendonly", "save", "min-replicas-to-write"]

  private var values: [String: String] = [:]
  private var replicaCount: Int?
  private var refusal: String?

  /// - Parameter replies: one per name, and that to `INFO`.
  init(_ replies: [RedisValue]) {
    for (name, reply) in zip(Self.names, replies) {
      let pair = reply.array ?? []
      if pair.count == 2, let value = pair[1].string { values[name] = value }
      refusal = refusal ?? reply.errorMessage
    }
    let info = replies.count > Self.names.count ? replies[Self.names.count].string : nil
    let line = info?.split(whereSeparator: \.isNewline).first { $0.hasPrefix("connected_slaves:") }
    replicaCount = line.flatMap { Int($0.drop { $0 != ":" }.dropFirst()) }
  }

  var advice: [String] {
    var sentences: [String] = []
    let hidden = Self.names.filter { values[$0] == nil }
    if !hidden.isEmpty {
      // Hosted services keep CONFIG to themselves.
      sentences.append(
        "cannot check \(hidden.joined(separator: ", "))"
          + (refusal.map { ", since Redis refuses CONFIG GET (\($0))" } ?? "")
          + "; make sure that nothing is evicted and that Redis saves what it holds")
    }
    if let policy = values["maxmemory-policy"], policy != "noeviction" {
      sentences.append(
        "maxmemory-policy is \(policy): Redis may drop jobs when its memory is full; "
          + "set it to noeviction")
    }
    if values["appendonly"] == "no", values["save"]?.isEmpty == true {
      sentences.append(
        "Redis saves nothing to disk: all jobs are lost when it restarts; "
          + "set appendonly to yes")
    }
    if let replicaCount, replicaCount > 0, values["min-replicas-to-write"] == "0" {
      sentences.append(
        "min-replicas-to-write is 0 with \(replicaCount) "
          + (replicaCount == 1 ? "replica" : "replicas")
          + ": a primary that is cut off takes jobs which the failover drops; "
          + "set it to 1, and min-replicas-max-lag to 10")
    }
    return sentences
  }
}

extension RedisClient {
  /// Looks at those settings of the server that decide whether jobs can get lost, and says in a
  /// sentence each what should be changed, or could not be seen. Empty if all is well.
  ///
  /// - Parameter timeout: for waiting for a connection and the replies together; nil for the
  ///   configured one.
  /// - Throws: ``RedisError`` when the server does not answer; `CancellationError`.
  public func advice(timeout: Duration? = nil) async throws -> [String] {
    try await settingFindings(timeout: timeout).compactMap(\.advice)
  }

  /// The same, with what is as it should be.
  ///
  /// - Throws: as ``advice(timeout:)``.
  public func settingFindings(timeout: Duration? = nil) async throws -> [RedisSettingFinding] {
    let replies = try await pipeline(
      ServerSettings.names.map { RedisCommand("CONFIG", "GET", $0, idempotent: true) }
        + [RedisCommand("INFO", "replication", idempotent: true)],
      timeout: timeout)
    return ServerSettings(replies).findings
  }
}

/// What was found about a setting of the server that decides whether jobs can get lost.
public struct RedisSettingFinding: Sendable, Hashable {
  /// What the setting is about.
  public enum Subject: String, Sendable {
    /// Settings that the server does not tell.
    case hidden
    case eviction
    case persistence
    case replication
  }

  public let subject: Subject
  /// How the server is set.
  public let state: String
  /// A sentence that says what should be changed; nil if all is well.
  public let advice: String?
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

  var findings: [RedisSettingFinding] {
    [hidden, eviction, persistence, replication].compactMap { $0 }
  }

  private var hidden: RedisSettingFinding? {
    let hidden = Self.names.filter { values[$0] == nil }
    if hidden.isEmpty { return nil }
    // Hosted services keep CONFIG to themselves.
    let names = hidden.joined(separator: ", ")
    return RedisSettingFinding(
      subject: .hidden, state: names,
      advice: "cannot check \(names)"
        + (refusal.map { ", since Redis refuses CONFIG GET (\($0))" } ?? "")
        + "; make sure that nothing is evicted and that Redis saves what it holds")
  }

  private var eviction: RedisSettingFinding? {
    values["maxmemory-policy"].map { policy in
      RedisSettingFinding(
        subject: .eviction, state: policy,
        advice: policy == "noeviction"
          ? nil
          : "maxmemory-policy is \(policy): Redis may drop jobs when its memory is full; "
            + "set it to noeviction")
    }
  }

  private var persistence: RedisSettingFinding? {
    guard let log = values["appendonly"], let save = values["save"] else { return nil }
    let isSaved = log != "no" || !save.isEmpty
    return RedisSettingFinding(
      subject: .persistence,
      state: log != "no" ? "append-only file" : isSaved ? "snapshots" : "none",
      advice: isSaved
        ? nil
        : "Redis saves nothing to disk: all jobs are lost when it restarts; "
          + "set appendonly to yes")
  }

  private var replication: RedisSettingFinding? {
    guard let replicaCount, let minimum = values["min-replicas-to-write"] else { return nil }
    let replicas = "\(replicaCount) \(replicaCount == 1 ? "replica" : "replicas")"
    return RedisSettingFinding(
      subject: .replication, state: "\(replicas), writes need \(minimum)",
      advice: replicaCount == 0 || minimum != "0"
        ? nil
        : "min-replicas-to-write is 0 with \(replicas): "
          + "a primary that is cut off takes jobs which the failover drops; "
          + "set it to 1, and min-replicas-max-lag to 10")
  }
}

import RedisClient

/// What Redis tells of itself by `INFO`, which hosted services may cut short.
struct ServerInformation {
  private let values: [String: String]
  private let refusal: String?

  /// - Throws: ``RedisError`` when Redis does not answer; `CancellationError`.
  init(_ redis: RedisClient) async throws {
    do {
      let reply = try await redis.send(RedisCommand("INFO", idempotent: true))
      self.init(reply.string ?? "")
    } catch let error as RedisError where error.code == .rejected {
      self.init("", refusal: error.reason)
    }
  }

  init(_ text: String, refusal: String? = nil) {
    self.refusal = refusal
    var values: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
    }
    self.values = values
  }

  private func unknown(_ subject: String) -> Finding {
    Finding(.warn, subject, refusal ?? "Redis does not tell", hint: "permit INFO to see it")
  }

  var role: Finding {
    switch values["role"] {
    case "master": Finding(.ok, "role", "primary")
    case let role?:
      Finding(.fail, "role", role, hint: "name the primary, or Sentinels, in REDIS_HOST")
    case nil: unknown("role")
    }
  }

  func version(atLeast oldest: [Int]) -> Finding {
    guard let text = values["redis_version"] else { return unknown("version") }
    let version = text.split(separator: ".").map { Int($0) ?? 0 }
    if version.lexicographicallyPrecedes(oldest) {
      let wanted = oldest.map(String.init).joined(separator: ".")
      return Finding(.fail, "version", text, hint: "\(wanted) or newer is needed")
    }
    return Finding(.ok, "version", text)
  }

  /// Replicas that are not in step; empty if all are, or there are none.
  var replicas: [Finding] {
    guard let count = values["connected_slaves"].flatMap({ Int($0) }), count > 0 else { return [] }
    var problems: [String] = []
    for index in 0..<count {
      let pairs = (values["slave\(index)"] ?? "").split(separator: ",").compactMap { pair in
        let parts = pair.split(separator: "=", maxSplits: 1)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
      }
      let replica = Dictionary(pairs, uniquingKeysWith: { $1 })
      let name = "\(replica["ip"] ?? "?"):\(replica["port"] ?? "?")"
      if let state = replica["state"], state != "online" {
        problems.append("\(name) is not in step yet (\(state))")
      } else if let lag = replica["lag"].flatMap({ Int($0) }), lag > Self.largestLag {
        problems.append("\(name) was last heard of \(lag) s ago")
      }
    }
    return [
      problems.isEmpty
        ? Finding(.ok, "replicas", "\(count) in step")
        : Finding(
          .warn, "replicas", problems.joined(separator: "; "),
          hint: "a failover to one of them loses what it has not got; see its log and the network")
    ]
  }

  /// Seconds; they answer each second.
  private static let largestLag = 10

  /// Whether the last attempts to save went well; if not, Redis may refuse to write.
  var saving: Finding {
    let names = ["rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status"]
    let failed = names.filter { values[$0] == "err" }
    if failed.isEmpty, values[names[0]] == nil { return unknown("saving") }
    return failed.isEmpty
      ? Finding(.ok, "saving", "no errors")
      : Finding(
        .fail, "saving", "failed (\(failed.joined(separator: ", ")))",
        hint: "look at the log of Redis: its disk may be full, and it may refuse to write")
  }

  var memory: Finding {
    guard let used = values["used_memory"].flatMap({ Int($0) }) else { return unknown("memory") }
    let limit = values["maxmemory"].flatMap { Int($0) } ?? 0
    let total = values["total_system_memory"].flatMap { Int($0) } ?? 0
    let bound = limit > 0 ? limit : total
    let name = limit > 0 ? "its limit" : "the machine's"
    guard bound > 0 else { return Finding(.ok, "memory", "\(used >> 20) MiB used") }
    let percent = Int(100 * Double(used) / Double(bound))
    let state = "\(used >> 20) MiB used, \(percent)% of \(name)"
    switch percent {
    case ..<80: return Finding(.ok, "memory", state)
    case ..<95:
      return Finding(.warn, "memory", state, hint: "raise maxmemory, or let finished jobs expire")
    default:
      return Finding(
        .fail, "memory", state, hint: "raise maxmemory: once it is full, no job can be submitted")
    }
  }
}

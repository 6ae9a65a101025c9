import JobQueue
import RedisClient

/// Nothing of ours may be left but what expires by itself or has a bound.
struct KeyChecks {
  private let checks: Checks

  init(_ checks: Checks) { self.checks = checks }

  private var redis: RedisClient { checks.stage.redis }
  private var failures: Failures { checks.failures }
  private var ledger: Ledger { checks.round.ledger }

  /// Of the test itself.
  private static let own = ["chaos-mark", "junk:"]
  private static let eventLimit = 10_100

  func run() async throws {
    for key in try await redis.allKeys() { try await check(key) }
    for queue in Stage.queues { try await checkBounds(queue) }
  }

  private func check(_ bytes: [UInt8]) async throws {
    let key = String(decoding: bytes, as: UTF8.self)
    if Self.own.contains(where: key.hasPrefix) { return }
    if let job = ledger[key] {
      guard job.isAccepted else { return }
      return try await expectExpiry(bytes, key)
    }
    if let job = key.dropping("kiosk:job:") {
      let tracked = ledger[job]
      failures.expect(tracked != nil, "\(key) is of no job", job: job)
      // Never claimed, so it was never put right.
      if let tracked, tracked.hadOddControl, !tracked.isAccepted || tracked.isGone { return }
      return try await expectExpiry(bytes, key, of: job)
    }
    if Stage.queues.contains(where: { queue in
      [
        Keys.events(of: queue), Keys.statistics(of: queue), Keys.deadLetters(of: queue),
        Keys.workers(of: queue),
      ].contains(key)
    }) {
      return
    }
    let expiring = [
      "kiosk:log:", "kiosk:worker:", "kiosk:dedup:", "kiosk:reap:", "kiosk:rate:", "kiosk:out:",
      "Pixelwise:1",
    ]
    guard expiring.contains(where: key.hasPrefix) else {
      let dump = try await redis.describe(bytes)
      return failures.add("\(key) is left over: \(dump)", job: key)
    }
    try await expectExpiry(bytes, key)
  }

  private func expectExpiry(
    _ bytes: [UInt8], _ key: String, of job: String? = nil
  ) async throws {
    let left = try await redis.command("TTL", bytes).integer ?? 0
    failures.expect(left != -1, "\(key) stays for ever", job: job ?? key)
  }

  private func checkBounds(_ queue: String) async throws {
    let events = try await redis.command("XLEN", Keys.events(of: queue)).integer ?? 0
    failures.expect(events <= Self.eventLimit, "\(queue) has \(events) events")
    let dead: [String] = try await redis.command(
      "ZRANGE", Keys.deadLetters(of: queue), 0, -1
    ).decode()
    failures.expect(
      dead.count <= Stage.deadLetterLimit, "\(queue) has \(dead.count) dead letters")
    for key in dead {
      guard let job = ledger[key], let end = job.end, !job.isGone else { continue }
      failures.expect(
        end.status == "failed" && end.errorCode != "canceled", "it is a dead letter and \(end)",
        job: key)
    }
  }
}

extension RedisClient {
  /// All keys, found by SCAN.
  func allKeys() async throws -> [[UInt8]] {
    var keys: Set<[UInt8]> = []
    var cursor = "0"
    repeat {
      let reply = try await command("SCAN", cursor, "COUNT", 1000).array ?? []
      cursor = reply.first?.string ?? "0"
      for key in reply.last?.array ?? [] { keys.insert(key.bytes ?? []) }
    } while cursor != "0"
    return Array(keys)
  }

  /// A key's type and value, for people.
  func describe(_ key: [UInt8]) async throws -> String {
    let type = try await command("TYPE", key).string ?? ""
    switch type {
    case "list": return "\(type) \(try await command("LRANGE", key, 0, 20))"
    case "hash": return "\(type) \(try await command("HGETALL", key))"
    case "zset": return "\(type) \(try await command("ZRANGE", key, 0, 20, "WITHSCORES"))"
    case "set": return "\(type) \(try await command("SRANDMEMBER", key, 20))"
    default: return type
    }
  }
}

extension String {
  /// The rest behind a prefix; nil if it is not there.
  func dropping(_ prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}

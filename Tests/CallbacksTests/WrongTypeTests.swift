import JobQueue
import RedisClient
import TestSupport
import Testing

@testable import Callbacks

/// Scripts are not rolled back, so each must look before it writes.
@Suite struct CallbackWrongTypeTests {
  private enum Call: String, CaseIterable {
    case claim, delivered, retry, dead, release, requeue, requeueAll

    func callAsFunction(_ outbox: Outbox, _ id: String) async throws {
      let settings = try outbox.settings()
      func settle(_ outcome: CallbackOutbox.Outcome) async throws {
        _ = try await outbox.outbox.settle(id, token: "t", outcome, settings: settings)
      }
      switch self {
      case .claim:
        _ = try await outbox.outbox.claim(
          upTo: 9, token: "u", lease: .seconds(9), perHost: 9, hosts: [:])
      case .delivered: try await settle(.delivered)
      case .retry: try await settle(.retry(after: .seconds(1), "R"))
      case .dead: try await settle(.dead("R"))
      case .release: try await settle(.release)
      case .requeue: _ = try await outbox.outbox.requeue(["old:done"])
      case .requeueAll: _ = try await outbox.outbox.requeue()
      }
    }
  }

  @Test(.redisServer, arguments: Call.allCases.map(\.rawValue))
  func `a key of another type stops a script before its first write, or does not matter`(
    name: String
  ) async throws {
    let call = try #require(Call(rawValue: name))
    let outbox = try Outbox()
    let redis = outbox.redis
    let settings = try outbox.settings()
    // One that was given up, one that is with a sender, and one that is due.
    try await outbox.add("http://a/", job: "old")
    _ = try await outbox.outbox.claim(
      upTo: 1, token: "s", lease: .seconds(9), perHost: 9, hosts: [:])
    _ = try await outbox.outbox.settle("old:done", token: "s", .dead("R"), settings: settings)
    let id = try await outbox.add("http://a/", job: "sent")
    _ = try await outbox.outbox.claim(
      upTo: 1, token: "t", lease: .seconds(9), perHost: 9, hosts: [:])
    try await outbox.add("http://a/", job: "due")
    let prepared = try await DatabaseState.read(redis)
    try await call(outbox, id)
    #expect(try await !DatabaseState.read(redis).differences(from: prepared).isEmpty)

    for key in prepared.keys {
      try await prepared.restore(to: redis)
      try await redis.command("SET", key, "x")
      let before = try await DatabaseState.read(redis)
      do {
        try await call(outbox, id)
        let changed = try await DatabaseState.read(redis).differences(from: before)
        #expect(!changed.contains(key), "\(key) was replaced")
      } catch let error as RedisError where error.code == .rejected {
        let changed = try await DatabaseState.read(redis).differences(from: before)
        #expect(changed.isEmpty, "\(key): \(error.reason)")
      }
    }
  }
}

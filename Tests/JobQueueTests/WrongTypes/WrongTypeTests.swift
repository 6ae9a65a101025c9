import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// Scripts are not rolled back, so each must look before it writes.
@Suite struct WrongTypeTests {
  /// Keys that may be replaced: a job's own memory and callbacks are nobody else's, and a parent's
  /// children are found again by their end.
  private func isReplaceable(_ key: String) -> Bool {
    [Keys.control(of: ""), Keys.callback(""), Keys.children(of: "")].contains(where: key.hasPrefix)
  }

  /// All keys that the names of queues and jobs can lead to.
  private func keys(of names: [String]) -> Set<String> {
    var keys: Set<String> = [Keys.callbacks, Keys.submission("f")]
    for name in names {
      keys.formUnion([
        name, Keys.control(of: name), Keys.children(of: name), Keys.log(of: name),
        Keys.leases(of: name), Keys.delayed(in: name), Keys.limbo(of: name), Keys.parked(in: name),
        Keys.deadLetters(of: name), Keys.events(of: name), Keys.statistics(of: name),
        Keys.configuration(of: name), Keys.rate(of: name), "kiosk:reap:" + name,
        Keys.card(of: name), Keys.workers(of: name), Keys.callback("\(name):done"),
        Keys.callback("\(name):failed"), Keys.callback("\(name):canceled"),
        Keys.processing(queue: "predict", worker: name),
        Keys.processing(queue: "children", worker: name),
      ])
    }
    return keys
  }

  /// What expects a string gets a list, and what expects anything else a string.
  private func spoil(_ key: String, _ redis: RedisClient) async throws {
    let areStrings = [Keys.rate(of: ""), Keys.submission(""), "kiosk:reap:"]
    try await redis.command("DEL", key)
    if areStrings.contains(where: key.hasPrefix) {
      try await redis.command("RPUSH", key, "x")
    } else {
      try await redis.command("SET", key, "x")
    }
  }

  @Test(.redisServer, arguments: ScriptCall.allCases)
  func `a key of another type stops a script before its first write, or does not matter`(
    script: ScriptCall
  ) async throws {
    let harness = try QueueHarness()
    let redis = harness.redis
    let job = try await script.prepare(harness)
    let prepared = try await DatabaseState.read(redis)
    // The same process as that which has the job.
    let boot = job.token.rawValue.prefix { $0 != ":" }
    let worker = harness.worker(boot: String(boot))
    try await script.call(harness, worker, job)
    let called = try await DatabaseState.read(redis)
    #expect(!called.differences(from: prepared).isEmpty, "the script has nothing to do")

    let known = Set(prepared.keys).union(called.keys)
    let names = known.filter { !$0.hasPrefix("kiosk:") && !$0.hasPrefix("processing-") }
    let all = keys(of: names + ["pod-1", "pod-2", "predict", "children", "parents"])
    // Those of no kind that is known here.
    let strange = known.subtracting(all).filter { key in
      !["kiosk:cancel:"].contains(where: key.hasPrefix)
    }
    #expect(strange.isEmpty, "\(strange.sorted())")

    var refusals = 0
    for key in all.sorted() {
      try await prepared.restore(to: redis)
      try await spoil(key, redis)
      let before = try await DatabaseState.read(redis)
      var refusal: String?
      do {
        try await script.call(harness, worker, job)
      } catch let error as RedisError where error.code == .rejected {
        refusal = error.reason
        refusals += 1
      }
      let changed = try await DatabaseState.read(redis).differences(from: before)
      if let refusal {
        #expect(changed.isEmpty, "\(key): \(refusal)")
        #expect(refusal.hasPrefix("WRONGTYPE \(key) is a "), "\(refusal)")
      } else if changed.contains(key) {
        #expect(isReplaceable(key), "\(key) was replaced")
      }
    }
    #expect(refusals > 0)
  }
}

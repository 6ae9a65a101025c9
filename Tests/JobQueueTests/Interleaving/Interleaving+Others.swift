import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// What clients, operators and the janitor do, and what time does.
extension Interleaving {
  mutating func submit() async throws {
    let key = "predict:\(accepted.count).tif:\(UInt64.random(in: 0...UInt64.max, using: &chance))"
    let hash = ["status": "new", "original_name": "a.tif"]
    switch Int.random(in: 0..<5, using: &chance) {
    case 0:
      _ = try await harness.worker("client").submit(key, hash, DeliveryOptions(.urgent))
    case 1:
      _ = try await harness.worker("client").submit(
        key, hash, DeliveryOptions(.delayed(.seconds(1000)), callbacks: ["https://a.example"]))
    case 2:
      let options = DeliveryOptions(fingerprint: "f\(Int.random(in: 0...2, using: &chance))")
      let submission = try await harness.worker("client").submit(key, hash, options)
      if submission.outcome == .duplicate { return }
    default: try await harness.submit(key)
    }
    accepted.append(key)
  }

  mutating func pushAgain() async throws {
    guard let job = pick(accepted) else { return }
    try await harness.redis.command(isTrue(2) ? "LPUSH" : "RPUSH", QueueHarness.name, job)
  }

  /// Keys that are no jobs, of any type.
  mutating func pushJunk() async throws {
    let key = "junk \(Int.random(in: 0...4, using: &chance))"
    switch key.last {
    case "0": try await harness.redis.command("SET", key, "x")
    case "1": try await harness.redis.command("SADD", key, "x")
    case "2": try await harness.redis.command("LPUSH", key, "x")
    case "3": try await harness.redis.command("LPUSH", Keys.control(of: key), "x")
    default: break
    }
    try await harness.redis.command("LPUSH", QueueHarness.name, key)
  }

  mutating func cancel() async throws {
    guard let job = pick(accepted) else { return }
    if try await harness.worker("tool").cancel(job) == .canceled { ends[job, default: 0] += 1 }
  }

  mutating func requeue() async throws {
    guard let job = pick(accepted) else { return }
    if try await harness.worker("tool").requeue(job) == .requeued {
      requeues[job, default: 0] += 1
      forgetFinal(job)
    }
  }

  mutating func removeHash() async throws {
    guard isTrue(4), let job = pick(accepted) else { return }
    try await harness.redis.command("DEL", job)
    removed.insert(job)
  }

  /// The first half of what a janitor does with an entry.
  mutating func steal() async throws {
    let name = "pod-\(Int.random(in: workers.indices, using: &chance))"
    let list = try await harness.processing(name)
    guard let job = pick(list) else { return }
    try await harness.stealEntry(job, from: name)
    // It may die now.
    if !isTrue(3) { stolen.append(job) }
  }

  /// The second half.
  mutating func pushStolen() async throws {
    guard !stolen.isEmpty else { return }
    try await harness.redis.command("LPUSH", QueueHarness.name, stolen.removeFirst())
  }

  mutating func passTime() async throws {
    let sets = [
      Keys.delayed(in: QueueHarness.name), Keys.limbo(of: QueueHarness.name),
      Keys.delayed(in: QueueHarness.name), Keys.leases(of: QueueHarness.name),
    ]
    guard let key = pick(sets), let job = pick(try await harness.scores(key).keys.sorted())
    else { return }
    try await harness.makeDue(job, in: key)
  }

  /// One more turn of anybody.
  mutating func step() async throws {
    switch Int.random(in: 0..<44, using: &chance) {
    case 0..<6: try await submit()
    case 6..<14: try await claim()
    case 14..<18: try await finish()
    case 18..<20: try await fail()
    case 20: try await update()
    case 21: try await release()
    case 22..<24: try await park()
    case 24: try await heartbeat()
    case 25: try await crash()
    case 26: try await freeze()
    case 27: try await thaw()
    case 28..<30: try await reap()
    case 30: try await reconcile()
    case 31: try await pushAgain()
    case 32: try await pushJunk()
    case 33: try await cancel()
    case 34: try await requeue()
    case 35: try await removeHash()
    case 36: try await steal()
    case 37: try await pushStolen()
    case 38: try await reportAgain()
    case 39..<41: try await freeze()
    case 41..<43: try await thaw()
    default: try await passTime()
    }
  }

  /// Lets everything come to rest: everybody is well, and time passes.
  mutating func settle() async throws {
    while !stolen.isEmpty { try await pushStolen() }
    while !frozen.isEmpty { try await thaw() }
    for round in 0..<60 {
      for set in [
        Keys.delayed(in: QueueHarness.name), Keys.limbo(of: QueueHarness.name),
      ] {
        for job in try await harness.scores(set).keys { try await harness.makeDue(job, in: set) }
      }
      // Those whose worker crashed.
      let held = Set(workers.flatMap { $0.jobs.map(\.key) })
      for job in try await harness.leases() where !held.contains(job) {
        try await harness.endLease(job)
      }
      try await reap()
      try await reconcile()
      for _ in 0..<4 { try await claim() }
      while workers.contains(where: { !$0.jobs.isEmpty }) { try await finish() }
      let isEmpty = try await harness.list().isEmpty
      var counts = try await harness.worker().counts()
      counts.dead = 0
      if isEmpty, counts == QueueCounts(), try await allHaveEnded() { return }
      if round == 59 { Issue.record("it does not come to rest: \(counts)") }
    }
  }
}

@Suite struct InterleavingTests {
  @Test(.redisServer, arguments: 0..<60)
  func `whatever happens, every accepted job ends once and leaves nothing`(seed: Int) async throws {
    var interleaving = try Interleaving(seed: seed)
    for _ in 0..<200 {
      try await interleaving.step()
      try await interleaving.checkFinals()
    }
    try await interleaving.settle()
    try await interleaving.checkFinals()
    try await interleaving.checkRest()
  }
}

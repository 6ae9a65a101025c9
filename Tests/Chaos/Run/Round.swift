import JobQueue
import RedisClient
import TestSupport

/// Some jobs and what is done to them, until all has come to rest and been checked.
///
/// Rounds keep what is to be checked small: a queue's stream holds the last ten thousand events.
struct Round: Sendable {
  let stage: Stage
  let number: Int
  let jobs: Int
  /// Without anything done to it; then more can be said.
  let isCalm: Bool
  let ledger = Ledger()
  let losses = Losses()

  private func dice(_ name: String) -> Dice {
    Dice(seed: stage.options.seed, "\(number) \(name)")
  }

  /// Time without any progress after which it is stuck.
  private static let patience: Duration = .seconds(90)

  func run() async throws {
    let start = try await History.start(stage.redis)
    try await withThrowingTaskGroup(of: Void.self) { watchers in
      watchers.addTask { await Snapshots(stage: stage, ledger: ledger).run() }
      watchers.addTask { await KeyEvents(stage, ledger).run() }
      watchers.addTask { await losses.watch(stage.cluster, stage.tally) }
      watchers.addTask { await stage.fleet.supervise(stage.tally) }
      try await meddle()
      try await settle()
      // What is on its way to those who watch.
      try await Task.sleep(for: .milliseconds(300))
      watchers.cancelAll()
      for try await _ in watchers {}
    }
    try await Checks(round: self, history: History(since: start, stage.redis)).run()
  }

  /// Submits the jobs, and meanwhile does everything to everybody.
  private func meddle() async throws {
    let producer = Producer(
      stage: stage, ledger: ledger, dice: dice("producer"), round: number)
    guard !isCalm else { return await producer.run(count: jobs, pace: 0...30) }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        await producer.run(count: jobs, pace: 10...90)
        // Until most have ended; what hangs is to hang without faults, to be found.
        let limit = ContinuousClock.now + .seconds(60)
        while !Task.isCancelled, !isNearlyOver, .now < limit {
          try? await Task.sleep(for: .milliseconds(100))
        }
        return true
      }
      group.addTask {
        try await strikeServers()
        return false
      }
      group.addTask {
        await strikeWorkers()
        return false
      }
      group.addTask {
        await strikePeers()
        return false
      }
      while let isProducer = try await group.next(), !isProducer {}
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private var isNearlyOver: Bool {
    let jobs = ledger.all
    return jobs.count(where: { $0.end != nil }) * 10 >= jobs.count(where: \.isAccepted) * 8
  }

  private func strikeServers() async throws {
    let dice = dice("servers")
    let deck = stage.serverFaults
    while !Task.isCancelled {
      try? await Task.sleep(for: dice.milliseconds(200...1500))
      if Task.isCancelled { return }
      let fault = deck.next()
      // To its end in any case: servers must not stay frozen.
      try await Task { try await fault.strike(stage, dice, losses) }.value
    }
  }

  private func strikeWorkers() async {
    let dice = dice("workers")
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        try? await Task.sleep(for: dice.milliseconds(100...900))
        if Task.isCancelled { return }
        let fault = stage.workerFaults.next()
        // To its end in any case, as with servers.
        group.addTask { await Task { await fault.strike(stage, dice) }.value }
      }
    }
  }

  private func strikePeers() async {
    let dice = dice("peers")
    let scene = Scene(stage: stage, ledger: ledger, dice: dice)
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        try? await Task.sleep(for: dice.milliseconds(20...150))
        if Task.isCancelled { return }
        let fault = stage.peerFaults.next()
        group.addTask { await Task { await fault.strike(scene) }.value }
      }
    }
  }

  /// Waits until nothing is left to be done, as long as something still happens.
  private func settle() async throws {
    try await ServerFault.waitUntilWell(stage)
    for queue in Stage.queues {
      // What was set just before a failover may have come back.
      try await retry { try await stage.queue(queue).resume() }
      try await retry { try await stage.queue(queue).setLimits(QueueLimits()) }
    }
    var last: (state: Rest, time: ContinuousClock.Instant)?
    while true {
      // As each worker does once a minute.
      for queue in Stage.queues { _ = try? await stage.queue(queue).reconcile() }
      if let rest = try? await Rest.read(stage, ledger) {
        if rest.isReached { return }
        if rest != last?.state { last = (rest, .now) }
        if let last, last.time.duration(to: .now) > Self.patience {
          stage.failures.add("it does not come to rest: \(last.state)")
          for job in last.state.unfinished.prefix(5) {
            stage.failures.add("it has not ended", job: job)
          }
          return
        }
      }
      try await Task.sleep(for: .milliseconds(300))
    }
  }

  private func retry(_ body: () async throws -> Void) async throws {
    for _ in 0..<20 {
      do { return try await body() } catch { try await Task.sleep(for: .milliseconds(500)) }
    }
    try await body()
  }
}

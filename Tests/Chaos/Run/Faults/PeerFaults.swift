import ChaosJobs
import JobQueue
import RedisClient
import TestSupport

/// What other programs do to queues and jobs: the janitor, clients, operators, and those who err.
enum PeerFault: String, CaseIterable, Sendable {
  case steal = "entries stolen and pushed back"
  case drop = "entries stolen and dropped"
  case pushAgain = "keys pushed again"
  case pushJunk = "junk pushed"
  case cancel = "cancelled"
  case requeue = "let run again"
  case remove = "hashes removed"
  case pause = "queues paused"
  case flushScripts = "scripts flushed"
  case fill = "times without room"
  case refuseCallbacks = "times callbacks were refused"
  case killModels = "model servers killed"
  case cut = "times all connections were cut"
  case killClients = "times all clients were thrown out"
  case limit = "times a queue was limited"
  case reconcile = "reconciled by the test"

  static let deck: [PeerFault] =
    Array(repeating: .steal, count: 8) + Array(repeating: .drop, count: 3)
    + Array(repeating: .pushAgain, count: 8) + Array(repeating: .pushJunk, count: 6)
    + Array(repeating: .cancel, count: 3) + Array(repeating: .requeue, count: 3)
    + [
      .remove, .remove, .pause, .flushScripts, .fill, .refuseCallbacks, .killModels, .cut,
      .killClients, .limit, .reconcile,
    ]

  func strike(_ scene: Scene) async {
    do {
      if try await act(scene) { scene.stage.tally.add(rawValue) }
    } catch {
      // Redis is away or refuses, as it does to everybody now.
      scene.stage.tally.add("faults that Redis refused")
    }
  }

  /// - Returns: whether there was something to do it to.
  private func act(_ scene: Scene) async throws -> Bool {
    let (stage, ledger, dice) = (scene.stage, scene.ledger, scene.dice)
    let redis = stage.redis
    switch self {
    case .steal, .drop: return try await steal(scene)
    case .pushAgain:
      guard let job = dice.pick(ledger.all.filter(\.isSubmitted)) else { return false }
      try await redis.command(dice.isTrue(50) ? "LPUSH" : "RPUSH", job.queue, job.key)
    case .pushJunk: try await pushJunk(scene)
    case .cancel:
      guard let job = dice.pick(ledger.all.filter { $0.isAccepted && $0.end == nil }) else {
        return false
      }
      ledger.change(job.key) { $0.wasCanceled = true }
      _ = try await stage.queue(job.queue).cancel(job.key, by: "chaos")
    case .requeue:
      // A job that is let run again is as its hash says; a time limit stands elsewhere.
      guard
        let job = dice.pick(
          ledger.all.filter { $0.end != nil && $0.parent == nil && $0.task.kind != .overdue })
      else { return false }
      ledger.change(job.key) { $0.requeues += 1 }
      // A requeueing without an answer may come about as well: any of these may be made.
      if let job = ledger[job.key] { ledger.addChildren(of: job, requeued: job.requeues) }
      guard try await stage.queue(job.queue).requeue(job.key) == .requeued else { return false }
    case .remove:
      // A parent makes a child again whose hash is gone when it repeats its fan-out.
      guard
        let job = dice.pick(
          ledger.all.filter {
            $0.isAccepted && $0.parent == nil && !$0.task.kind.isParent && $0.end == nil
          })
      else { return false }
      ledger.change(job.key) { $0.wasRemoved = true }
      try await redis.command("DEL", job.key)
    case .pause:
      let queue = stage.queue(dice.pick(Stage.queues) ?? "work")
      try await queue.pause()
      try? await Task.sleep(for: dice.milliseconds(100...1000))
      await scene.insist { try await queue.resume() }
    case .flushScripts: try await redis.command("SCRIPT", "FLUSH")
    case .fill:
      try stage.write([], to: ChaosNames.full)
      try? await Task.sleep(for: dice.milliseconds(100...1000))
      stage.remove(ChaosNames.full)
    case .refuseCallbacks:
      stage.receiver.refuse(true)
      try? await Task.sleep(for: dice.milliseconds(50...300))
      stage.receiver.refuse(false)
    case .killModels: try await stage.models.kill(for: dice.milliseconds(0...1500))
    case .cut:
      // Replies that are on their way are lost.
      let primary = try await stage.cluster.primary()
      guard let index = stage.cluster.servers.firstIndex(where: { $0 === primary }) else {
        return false
      }
      stage.cluster.proxies[index].cut()
    case .killClients: try await redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    case .limit:
      let queue = stage.queue(dice.pick(Stage.queues) ?? "work")
      try await queue.setLimits(QueueLimits(concurrency: 2, rate: 20, burst: 2))
      try? await Task.sleep(for: dice.milliseconds(100...1000))
      await scene.insist { try await queue.setLimits(QueueLimits()) }
    case .reconcile:
      for queue in Stage.queues { _ = try await stage.queue(queue).reconcile() }
    }
    return true
  }

  /// As a janitor does with an entry of a worker that it takes for dead: two commands, and it may
  /// die between them.
  private func steal(_ scene: Scene) async throws -> Bool {
    let (redis, dice) = (scene.stage.redis, scene.dice)
    guard let worker = dice.pick(scene.stage.fleet.workers) else { return false }
    let list = Keys.processing(queue: worker.queue, worker: worker.name)
    let entries: [String] = try await redis.command("LRANGE", list, 0, -1).decode()
    guard let entry = dice.pick(entries) else { return false }
    try await redis.command("LREM", list, 1, entry)
    if self == .drop { return true }
    if dice.isTrue(50) { try? await Task.sleep(for: dice.milliseconds(0...400)) }
    try await redis.command("LPUSH", worker.queue, entry)
    return true
  }

  private func pushJunk(_ scene: Scene) async throws {
    let (redis, dice) = (scene.stage.redis, scene.dice)
    let number = dice.int(in: 0...9)
    let queue = dice.pick(Stage.queues) ?? "work"
    let key: [UInt8]
    switch dice.int(in: 0...6) {
    case 0:
      key = Array("junk:string \(number)".utf8)
      try await redis.command("SET", key, "x")
    case 1:
      key = Array("junk:list \(number)".utf8)
      try await redis.command("RPUSH", key, "x")
    case 2:
      key = Array("junk:set \(number)".utf8)
      try await redis.command("SADD", key, "x")
    case 3:
      key = Array("junk:zset \(number)".utf8)
      try await redis.command("ZADD", key, 1, "x")
    case 4: key = []
    case 5: key = [0, 0xff, 0xfe, 0x0a, 0x80] + Array("\(number)".utf8)
    default: key = Array("junk:nothing \(number)".utf8)
    }
    try await redis.command(dice.isTrue(50) ? "LPUSH" : "RPUSH", queue, key)
  }
}

import ChaosJobs
import Foundation
import JobQueue
import RedisClient

/// Submits the jobs of a round, by the script and as foreign producers do.
struct Producer: Sendable {
  let stage: Stage
  let ledger: Ledger
  let dice: Dice
  let round: Int

  func run(count: Int, pace: ClosedRange<Int>) async {
    for number in 0..<count {
      if Task.isCancelled { return }
      await submit(number)
      try? await Task.sleep(for: dice.milliseconds(pace))
    }
  }

  private static let deck: [ChaosTask.Kind] =
    Array(repeating: .plain, count: 11) + Array(repeating: .slow, count: 4)
    + Array(repeating: .stubborn, count: 4) + [
      .silent, .wrong, .wrong, .passing, .passing, .hopeless, .overdue, .parent, .parent, .hasty,
    ]

  /// The job of a round that has very many children.
  private static let largeNumber = 60

  private func task(_ number: Int) -> ChaosTask {
    // A poisoned job costs a process each time.
    if number == Self.largeNumber { return ChaosTask(.parent) }
    if number % 90 == 45 { return ChaosTask(.poison) }
    if number % 12 == 7 { return ChaosTask(.picture) }
    return task(dice.pick(Self.deck) ?? .plain)
  }

  private func task(_ kind: ChaosTask.Kind) -> ChaosTask {
    switch kind {
    case .slow, .stubborn: ChaosTask(kind, pause: dice.int(in: 300...3500))
    case .plain: ChaosTask(kind, pause: dice.int(in: 0...80))
    case .passing: ChaosTask(kind, passesAt: dice.int(in: 2...3))
    default: ChaosTask(kind)
    }
  }

  private func children(of kind: ChaosTask.Kind, isLarge: Bool) -> [ChaosTask] {
    guard kind.isParent else { return [] }
    // More than one call of the script makes.
    if isLarge { return Array(repeating: ChaosTask(.plain), count: 130) }
    let count = dice.isTrue(5) ? 0 : dice.int(in: 1...6)
    return (0..<count).map { _ in
      task(dice.pick([.plain, .plain, .plain, .slow, .wrong, .passing, .hopeless]) ?? .plain)
    }
  }

  /// User text: nothing may be read into it.
  private static let names = [
    "cells.tif", "a b.tif", "ärger/µ.tif", "a:b:c.tif", "*?[x].tif", "100%.tif", "a,b.tif",
    "\"quoted\" 'x'.tif", "emoji 🔬.tif",
  ]

  private func submit(_ number: Int) async {
    let task = task(number)
    let queue =
      task.kind == .poison
      ? "poison" : task.kind == .picture ? ChaosNames.pictureQueue : "work"
    let name =
      task.kind == .picture
      ? "picture-\(round)-\(number).npy" : dice.pick(Self.names) ?? "cells.tif"
    let key = "\(queue):\(name):\(round)-\(number)-\(dice.int(in: 0...0xffff_ffff))"
    let input = task.kind == .picture ? name : "input of \(round)-\(number)"
    let object = "uploads/\(round)-\(number)" + (task.kind == .picture ? ".npy" : ".txt")
    // A job's own limits, and who is told, need the script.
    let isForeign = task.kind != .overdue && dice.isTrue(40)
    var job = TrackedJob(key: key, queue: queue, task: task, input: input)
    job.childTasks = children(of: task.kind, isLarge: number == Self.largeNumber)
    var options = DeliveryOptions()
    if !isForeign {
      if dice.isTrue(15) { options.place = .urgent }
      if dice.isTrue(15) { options.place = .delayed(dice.milliseconds(50...1500)) }
      if task.kind == .overdue { options.timeout = .seconds(1) }
      job.callbacks = dice.isTrue(50) ? dice.int(in: 1...2) : 0
      options.callbacks = (0..<job.callbacks).map { stage.receiver.url($0) }
      if dice.isTrue(10) { options.fingerprint = "\(round)-\(number)" }
    }
    var hash = [
      Field.status: "new", Field.originalName: name, Field.inputFileName: object,
      ChaosNames.task: task.text, Field.createdAt: Timestamp.now.producerDescription,
      ChaosNames.children: job.childTasks.map(\.text).joined(separator: " "),
    ]
    if task.kind == .picture {
      hash.merge([
        Field.modelName: "Pixelwise", Field.modelVersion: "1", Field.preprocessFunction: "none",
        Field.postprocessFunction: "none", Field.channels: "0",
      ]) { $1 }
    }
    do {
      if task.kind == .picture {
        try stage.write(Picture.bytes(side: 32), to: object)
      } else {
        try stage.write(Array(input.utf8), to: object)
      }
      ledger.add(job)
      ledger.addChildren(of: job)
      if isForeign {
        try await push(key, queue, hash)
        stage.tally.add("submitted as foreign producers do")
      } else {
        try await submit(key, queue, hash, options)
        stage.tally.add("submitted by the script")
      }
      ledger.change(key) { $0.isSubmitted = true }
    } catch {
      // The producer does not know what became of it, and makes another.
      stage.tally.add("submissions without an answer")
    }
  }

  private func submit(
    _ key: String, _ queue: String, _ hash: [String: String], _ options: DeliveryOptions
  ) async throws {
    let submission = try await stage.queue(queue).submit(key, hash, options)
    guard options.fingerprint != nil, submission.outcome == .made else { return }
    // A client that repeats itself blindly, under another key.
    let again = try await stage.queue(queue).submit(key + "-again", hash, options)
    stage.tally.add("submitted again with a fingerprint")
    if again.outcome != .duplicate {
      // A failover can have lost the first together with its fingerprint.
      guard let first = ledger[key] else { return }
      var second = TrackedJob(
        key: key + "-again", queue: queue, task: first.task, input: first.input)
      (second.childTasks, second.callbacks) = (first.childTasks, first.callbacks)
      second.isSubmitted = true
      ledger.add(second)
      ledger.addChildren(of: second)
      stage.tally.add("fingerprints lost")
    }
  }

  private func push(_ key: String, _ queue: String, _ hash: [String: String]) async throws {
    let flat: [any RedisArgument] = hash.flatMap { [$0.key, $0.value] }
    if dice.isTrue(10) {
      // Of the control key's name, and none of ours.
      ledger.change(key) { $0.hadOddControl = true }
      try await stage.redis.command("LPUSH", Keys.control(of: key), "junk")
      stage.tally.add("control keys of another type")
    }
    try await stage.redis.send(RedisCommand("HSET", arguments: [key] + flat))
    try await stage.redis.send(RedisCommand("LPUSH", queue, key))
  }
}

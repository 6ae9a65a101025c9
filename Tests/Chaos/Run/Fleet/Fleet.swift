import ChaosJobs
import Foundation
import TestSupport

/// All workers, and who starts those again that have killed themselves.
final class Fleet: Sendable {
  let workers: [WorkerProcess]
  private let failures: Failures

  private init(_ workers: [WorkerProcess], _ failures: Failures) {
    (self.workers, self.failures) = (workers, failures)
  }

  /// - Parameter count: workers of the queues of parents and of children; poisoned jobs have one.
  static func start(
    _ count: Int, environment: [String: String], failures: Failures
  ) async throws -> Fleet {
    var workers: [WorkerProcess] = []
    for queue in ["work", ChaosNames.childQueue] {
      for number in 1...(queue == "work" ? count : max(2, count - 1)) {
        workers.append(
          try await .start(
            queue: queue, name: "pod-\(queue)-\(number)", isLasting: number == 1,
            environment: environment))
      }
    }
    // The real program, on real pictures.
    var real = environment
    real["CONSUMER_TYPE"] = "image"
    for number in 1...2 {
      workers.append(
        try await .start(
          "consume-redis-events", queue: ChaosNames.pictureQueue, name: "pod-pictures-\(number)",
          isLasting: number == 1, environment: real))
    }
    workers.append(
      try await .start(
        queue: "poison", name: "pod-poison-1", isLasting: false, environment: environment))
    for worker in workers { try await worker.child.wait(forOutput: "\"started\"") }
    return Fleet(workers, failures)
  }

  /// Workers that live through the run.
  var lasting: [WorkerProcess] { workers.filter(\.isLasting) }

  /// A worker that nobody does anything to, reserved; nil if there is none.
  func take(_ dice: Dice, sparingLasting: Bool) -> WorkerProcess? {
    let candidates = dice.shuffled(
      workers.filter { $0.queue != "poison" && !(sparingLasting && $0.isLasting) })
    return candidates.first { $0.take() }
  }

  /// Starts processes again that killed themselves, until it is cancelled. Those that end otherwise
  /// without having been told to have crashed.
  func supervise(_ tally: Tally) async {
    while !Task.isCancelled {
      for worker in workers where worker.take() {
        defer { worker.giveBack() }
        guard let exit = await worker.child.status.exit else { continue }
        if worker.queue == "poison", exit == .signal(SIGKILL) {
          tally.add("killed by a job")
        } else {
          let output = await worker.child.status.output.suffix(2000)
          failures.add("\(worker.name) ended by itself: \(exit): \(output)")
        }
        do {
          try await worker.startAgain(renamed: false)
        } catch {
          if !Task.isCancelled { failures.add("\(worker.name) does not start: \(error)") }
        }
      }
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Asks all to end, and checks that they do so in order.
  func stop() async {
    for worker in workers { await worker.child.send(SIGTERM) }
    for worker in workers {
      do {
        let exit = try await worker.child.waitForExit(within: .seconds(60))
        let output = exit == .code(0) ? "" : await worker.child.status.output.suffix(2000)
        failures.expect(exit == .code(0), "\(worker.name) was asked to end: \(exit): \(output)")
      } catch {
        failures.add("\(worker.name) was asked to end: \(error)")
      }
    }
  }

  /// Lines of the workers' logs about a job, in the order of their times.
  func lines(about job: String) async -> [String] {
    var lines: [String] = []
    for worker in workers {
      for process in worker.processes {
        let output = await process.status.standardOutput
        for line in output.split(separator: "\n") where line.contains(job) {
          lines.append("\(worker.name)[\(process.processIdentifier)] \(line)")
        }
      }
    }
    return lines.sorted { Self.time(of: $0) < Self.time(of: $1) }
  }

  private static func time(of line: String) -> Substring {
    guard let start = line.range(of: "\"ts\":\"")?.upperBound else { return "" }
    return line[start...].prefix(24)
  }
}

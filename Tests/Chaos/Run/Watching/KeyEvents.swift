import RedisClient
import Synchronization

/// Watches every write to the hashes of jobs, as the server itself tells it.
///
/// While one connection lasts, its server's history is one line: there a job's end is written once,
/// and nothing after it but by an operator who lets the job run again. An end gives the hash an
/// expiry, in the same step; running again takes it away. What happens between connections is left
/// to ``Snapshots`` and ``History``.
final class KeyEvents: Sendable {
  private let stage: Stage
  private let ledger: Ledger

  private struct Line {
    /// Jobs whose end was seen, with the writes seen since that only a requeueing explains.
    var ended: [String: Int] = [:]
    var faults: [(time: ContinuousClock.Instant, what: String, job: String)] = []
    var ends = 0
  }

  init(_ stage: Stage, _ ledger: Ledger) { (self.stage, self.ledger) = (stage, ledger) }

  private static let prefix = "__keyevent@0__:"
  private static let channels = ["hset", "hdel", "expire", "persist", "del"].map { prefix + $0 }
  /// Messages of a new connection can come just before the word that there is one.
  private static let doubt: Duration = .milliseconds(500)

  /// Watches until it is cancelled.
  func run() async {
    while !Task.isCancelled {
      var line = Line()
      do {
        try await stage.redis.withSubscription(to: Self.channels, bufferLimit: 1_000_000) {
          for try await event in $0 {
            guard case .message(let message) = event else {
              line.faults.removeAll { $0.time.duration(to: .now) < Self.doubt }
              return
            }
            note(message, &line)
          }
        }
      } catch {
        // Cancelled, or Redis is away: the next connection begins a new line.
      }
      for fault in line.faults { stage.failures.add(fault.what, job: fault.job) }
      for (job, writes) in line.ended where writes > 0 && Task.isCancelled {
        stage.failures.add("\(writes) writes after its end", job: job)
      }
      stage.tally.add("ends seen by the key watcher", line.ends)
      stage.tally.add("lines of the key watcher")
      try? await Task.sleep(for: .milliseconds(50))
    }
  }

  private func note(_ message: RedisMessage, _ line: inout Line) {
    guard let job = message.text, ledger[job] != nil else { return }
    let event = message.channel.dropFirst(Self.prefix.count)
    guard let writes = line.ended[job] else {
      if event == "expire" {
        line.ended[job] = 0
        line.ends += 1
      }
      return
    }
    switch event {
    case "persist", "del": line.ended[job] = nil
    // A requeueing removes fields, sets some and takes the expiry away, in one step.
    case "hset", "hdel": line.ended[job] = writes + 1
    default: line.faults.append((.now, "it ended a second time on one server", job))
    }
    if writes >= 2, event == "hset" || event == "hdel" {
      line.faults.append((.now, "it was written to after its end", job))
    }
  }
}

import JobQueue
import RedisClient

/// What is left to be done.
struct Rest: Sendable, Equatable, CustomStringConvertible {
  private var counts: [String: QueueCounts] = [:]
  private var callbacks = 0
  private var events = 0
  /// Promised jobs without an end that is certain.
  private(set) var unfinished: [String] = []

  static func read(_ stage: Stage, _ ledger: Ledger) async throws -> Rest {
    var rest = Rest()
    for queue in Stage.queues {
      var counts = try await stage.queue(queue).counts()
      counts.dead = 0
      rest.counts[queue] = counts
      rest.events += try await stage.redis.command("XLEN", Keys.events(of: queue)).integer ?? 0
    }
    rest.callbacks = try await stage.redis.command("ZCARD", Keys.callbacks).integer ?? 0
    rest.unfinished = ledger.all.filter { $0.isAccepted && !$0.isGone && $0.end == nil }.map(\.key)
    return rest
  }

  var isReached: Bool {
    unfinished.isEmpty && callbacks == 0 && counts.values.allSatisfy { $0 == QueueCounts() }
  }

  var description: String {
    let queues = counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    return "\(unfinished.count) jobs, \(callbacks) callbacks, \(queues.joined(separator: "; "))"
  }
}

import JobQueue
import RedisClient
import TestSupport

/// What the queues' streams tell of a round, on the history that has survived all failovers.
struct History: Sendable {
  struct Event: Sendable, CustomStringConvertible {
    let queue: String
    let id: String
    let name: String
    let worker: String
    let details: [String: String]

    var isEnd: Bool { ["done", "failed", "canceled"].contains(name) }

    var description: String {
      let details = details.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      return "\(id) \(queue) \(name) by \(worker)\(details)"
    }
  }

  /// By job, in their order.
  private(set) var events: [String: [Event]] = [:]
  private(set) var counts: [String: Int] = [:]
  /// Of each queue, the counts in its statistics that are not those of its events.
  private(set) var miscounted: [String: [String]] = [:]
  /// What the statistics of all queues have gained.
  private(set) var statistics: [String: Int] = [:]

  /// Events that are counted in the step that tells them.
  private static let counted = ["submitted", "done", "failed", "canceled", "retry"]

  /// Ends of the streams, from which on a round is told.
  struct Start: Sendable {
    var lastIDs: [String: String] = [:]
    var statistics: [String: [String: Int]] = [:]
  }

  static func start(_ redis: RedisClient) async throws -> Start {
    var start = Start()
    for queue in Stage.queues {
      let info = try await information(queue, redis)
      start.lastIDs[queue] = info["last-generated-id"] ?? "0-0"
      start.statistics[queue] = try await statistics(of: queue, redis)
    }
    return start
  }

  private static func statistics(
    of queue: String, _ redis: RedisClient
  ) async throws -> [String: Int] {
    try await redis.command("HGETALL", Keys.statistics(of: queue)).decode()
  }

  private static func information(
    _ queue: String, _ redis: RedisClient
  ) async throws -> [String: String] {
    let key = Keys.events(of: queue)
    guard try await redis.command("EXISTS", key) == 1 else { return [:] }
    let values = try await redis.command("XINFO", "STREAM", key).array ?? []
    var information: [String: String] = [:]
    for index in stride(from: 1, to: values.count, by: 2) {
      let value = values[index]
      information[values[index - 1].string ?? ""] = value.string ?? value.integer.map(String.init)
    }
    return information
  }

  init(since start: Start, _ redis: RedisClient) async throws {
    for queue in Stage.queues {
      var last = start.lastIDs[queue] ?? "0-0"
      let information = try await Self.information(queue, redis)
      // What was trimmed cannot be judged: choose smaller rounds.
      if let dropped = information["max-deleted-entry-id"], Self.isLater(dropped, than: last) {
        throw TestSupportError("the events of \(queue) do not reach back to the round's start")
      }
      while true {
        let page =
          try await redis.command(
            "XRANGE", Keys.events(of: queue), "(" + last, "+", "COUNT", 1000
          ).array ?? []
        for entry in page {
          guard let parts = entry.array, parts.count == 2, let id = parts[0].string else {
            continue
          }
          var fields: [String: String] = try parts[1].decode()
          let job = fields.removeValue(forKey: "job") ?? ""
          let name = fields.removeValue(forKey: "event") ?? ""
          let worker = fields.removeValue(forKey: "worker") ?? ""
          counts[name, default: 0] += 1
          events[job, default: []].append(
            Event(queue: queue, id: id, name: name, worker: worker, details: fields))
          last = id
        }
        if page.count < 1000 { break }
      }
      let told = events.values.joined().filter { $0.queue == queue }
      let statistics = try await Self.statistics(of: queue, redis)
      for (name, count) in statistics {
        self.statistics[name, default: 0] += count - (start.statistics[queue]?[name] ?? 0)
      }
      for name in Self.counted {
        let count = statistics[name, default: 0] - (start.statistics[queue]?[name] ?? 0)
        let events = told.count { $0.name == name }
        if count != events {
          miscounted[queue, default: []].append("\(name): \(count) of \(events)")
        }
      }
    }
  }

  private static func isLater(_ id: String, than other: String) -> Bool {
    func parts(_ id: String) -> [Int] { id.split(separator: "-").map { Int($0) ?? 0 } }
    return parts(other).lexicographicallyPrecedes(parts(id))
  }

  /// How many workers a job has lost since it was last let run again, as its events tell.
  static func lostWorkers(_ events: [Event]) -> Int {
    var deliveries = 0
    for (index, event) in events.enumerated() {
      switch event.name {
      case "started": deliveries += 1
      case "released", "retry", "waiting": deliveries = max(0, deliveries - 1)
      // By an operator.
      case "requeued" where index > 0 && events[index - 1].isEnd: deliveries = 0
      default: break
      }
    }
    return deliveries
  }
}

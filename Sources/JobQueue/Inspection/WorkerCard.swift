import RedisClient

/// What a worker says of itself, and what it works on.
package struct WorkerCard: Sendable {
  package let name: String
  package let queue: String
  /// As its process wrote it; empty when its card has expired.
  package let fields: [String: String]
  /// Since it was last heard of, by the server's clock.
  package let silence: Duration
  package let jobs: [ListedJob]

  package var isSilent: Bool { silence > QueueOverview.workerSilence }

  /// Workers of one queue, and jobs of one worker, that are looked at.
  private static let limit = 1000

  /// The workers of a queue by their names, those included that were lost within the last hour.
  /// Consumers without leases have no card.
  package static func read(_ queue: String, _ redis: RedisClient) async throws -> [WorkerCard] {
    let now = try await redis.serverTime()
    let reply = try await redis.send(
      RedisCommand(
        "ZRANGE", Keys.workers(of: queue), 0, limit - 1, "REV", "WITHSCORES", idempotent: true))
    let values = reply.array ?? []
    var cards: [WorkerCard] = []
    for index in stride(from: 1, to: values.count, by: 2) {
      guard let name = values[index - 1].string else { continue }
      let beat = values[index].string.flatMap { Double($0) } ?? 0
      let replies = try await redis.pipeline([
        RedisCommand("HGETALL", Keys.card(of: name), idempotent: true),
        RedisCommand(
          "LRANGE", Keys.processing(queue: queue, worker: name), 0, limit - 1, idempotent: true),
      ])
      let places = (replies[1].array ?? []).map {
        JobPlace(key: $0.repairedText, worker: name)
      }
      cards.append(
        WorkerCard(
          name: name, queue: queue, fields: [String: String](repairing: replies[0].array ?? []),
          silence: .milliseconds(max(0, Double(now) - beat)),
          jobs: try await JobPlace.read(places, .processing, redis)))
    }
    return cards.sorted { $0.name < $1.name }
  }
}

import RedisClient

/// What happened to a job: its events, and the lines that its consumer logged.
package struct JobHistory: Sendable {
  package struct Entry: Sendable {
    package enum What: Sendable {
      case event(JobEvent)
      case line(String)
    }

    /// Milliseconds since 1970.
    package let time: Int
    package let what: What
  }

  private let job: String
  private let queue: String?
  private let redis: RedisClient
  /// The ids of the last entries seen; `-` before the first look.
  private var lastEvent = "-"
  private var lastLine = "-"

  /// Events of a queue that are looked at in one call; it keeps about half as many.
  private static let depth = 20_000
  private static let page = 1000

  /// - Parameter queue: the job's; nil if it is not known, then there are only lines.
  package init(of job: String, queue: String?, _ redis: RedisClient) {
    self.job = job
    self.queue = queue
    self.redis = redis
  }

  /// What has been added since the last call, the oldest first; at the first call, all that is kept.
  package mutating func next() async throws -> [Entry] {
    let lines = try await entries(of: Keys.log(of: job), after: &lastLine).compactMap { entry in
      entry.fields["line"].map { Entry(time: entry.time, what: .line($0)) }
    }
    guard let queue else { return lines }
    let events = try await events(of: queue)
      .map { Entry(time: $0.time, what: .event($0)) }
    // Both are in order; on a tie, that a job began comes before what it says.
    return (events + lines).enumerated().sorted { one, other in
      (one.element.time, one.offset) < (other.element.time, other.offset)
    }.map(\.element)
  }

  private mutating func events(of queue: String) async throws -> [JobEvent] {
    var found: [JobEvent] = []
    for _ in 0..<Self.depth / Self.page {
      let page = try await redis.send(range(Keys.events(of: queue), after: lastEvent)).array ?? []
      found += page.lazy.compactMap { JobEvent($0) }.filter { $0.job == job }
      if let last = page.last.flatMap({ StreamEntry($0) }) { lastEvent = last.id }
      if page.count < Self.page { break }
    }
    return found
  }

  private func entries(
    of stream: String, after last: inout String
  ) async throws -> [StreamEntry] {
    let page = try await redis.send(range(stream, after: last)).array ?? []
    let entries = page.compactMap { StreamEntry($0) }
    if let id = entries.last?.id { last = id }
    return entries
  }

  private func range(_ stream: String, after last: String) -> RedisCommand {
    RedisCommand(
      "XRANGE", stream, last == "-" ? last : "(" + last, "+", "COUNT", Self.page, idempotent: true)
  }
}

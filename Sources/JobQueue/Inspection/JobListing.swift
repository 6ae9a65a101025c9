import RedisClient

/// The jobs of a queue, state by state.
package struct JobListing: Sendable {
  package let queue: String
  private let directory: QueueDirectory
  private let redis: RedisClient

  /// Jobs looked at in one state; those beyond are not found.
  package static let depth = 10_000
  /// Jobs asked for in one exchange.
  private static let page = 200

  package init(_ queue: String, _ directory: QueueDirectory, _ redis: RedisClient) {
    self.queue = queue
    self.directory = directory
    self.redis = redis
  }

  /// Jobs in a state, at most `limit` of them.
  ///
  /// - Parameter text: must be in the key, the file's name or the error; nil for all.
  package func jobs(
    _ state: ListedJob.State, matching text: String? = nil, limit: Int
  ) async throws -> [ListedJob] {
    let ended = try await ended(state)
    var found: [ListedJob] = []
    var seen = 0
    while found.count < limit, seen < Self.depth {
      let range = seen..<min(seen + Self.page, Self.depth)
      let places =
        if let ended { Array(ended.dropFirst(range.lowerBound).prefix(range.count)) } else {
          try await places(state, range)
        }
      if places.isEmpty { break }
      seen += places.count
      let jobs = try await JobPlace.read(places, state, redis)
      found += jobs.lazy.filter { text == nil || $0.matches(text ?? "") }
        .prefix(limit - found.count)
      if places.count < Self.page { break }
    }
    return found
  }

  private func places(_ state: ListedJob.State, _ range: Range<Int>) async throws -> [JobPlace] {
    switch state {
    case .waiting: try await waiting(range)
    case .processing: try await processing(range)
    case .delayed: try await members(of: Keys.delayed(in: queue), range)
    case .parked: try await members(of: Keys.parked(in: queue), range)
    case .failed: try await members(of: Keys.deadLetters(of: queue), range, latestFirst: true)
    case .done, .canceled: []
    }
  }

  /// From the running end.
  private func waiting(_ range: Range<Int>) async throws -> [JobPlace] {
    let keys = try await texts(
      RedisCommand("LRANGE", queue, -range.upperBound, -range.lowerBound - 1, idempotent: true))
    return keys.reversed().enumerated().map {
      JobPlace(key: $1, position: range.lowerBound + $0 + 1)
    }
  }

  private func processing(_ range: Range<Int>) async throws -> [JobPlace] {
    // The entries of all lists, as if they were one.
    var first = range.lowerBound
    var places: [JobPlace] = []
    for list in directory.processingLists[queue] ?? [] where places.count < range.count {
      let length = try await redis.pipeline([RedisCommand("LLEN", list, idempotent: true)])[0]
      guard let length = length.integer else { continue }
      if first < length {
        let last = first + range.count - places.count - 1
        let keys = try await texts(RedisCommand("LRANGE", list, first, last, idempotent: true))
        let worker = QueueDirectory.worker(ofList: list)
        places += keys.map { JobPlace(key: $0, worker: worker) }
      }
      first = max(0, first - length)
    }
    let leases = try await redis.pipeline(
      places.map { RedisCommand("ZSCORE", Keys.leases(of: queue), $0.key, idempotent: true) })
    for (index, reply) in leases.enumerated() { places[index].time = milliseconds(reply) }
    return places
  }

  private func members(
    of key: String, _ range: Range<Int>, latestFirst: Bool = false
  ) async throws -> [JobPlace] {
    let order: [any RedisArgument] = latestFirst ? ["REV"] : []
    let arguments: [any RedisArgument] = [key, range.lowerBound, range.upperBound - 1]
    let reply = try await redis.send(
      RedisCommand("ZRANGE", arguments: arguments + order + ["WITHSCORES"], idempotent: true))
    let values = reply.array ?? []
    return stride(from: 1, to: values.count, by: 2).map {
      JobPlace(key: values[$0 - 1].repairedText, time: milliseconds(values[$0]))
    }
  }

  /// The jobs that are found by their events; nil for the states in which a list or set has them.
  private func ended(_ state: ListedJob.State) async throws -> [JobPlace]? {
    guard state == .done || state == .canceled else { return nil }
    let reply = try await redis.send(
      RedisCommand(
        "XREVRANGE", Keys.events(of: queue), "+", "-", "COUNT", Self.depth, idempotent: true))
    // Each job once, and not those that run again.
    var seen: Set<String> = []
    var places: [JobPlace] = []
    for entry in reply.array ?? [] {
      guard let event = JobEvent(entry), event.isEnd || event.name == "requeued",
        seen.insert(event.job).inserted, event.name == state.rawValue
      else { continue }
      places.append(JobPlace(key: event.job, time: event.time))
    }
    return places
  }

  private func texts(_ command: RedisCommand) async throws -> [String] {
    try await redis.send(command).array?.map(\.repairedText) ?? []
  }

  private func milliseconds(_ score: RedisValue) -> Int? {
    score.string.flatMap { Double($0) }.flatMap { Int(exactly: $0.rounded()) }
  }
}

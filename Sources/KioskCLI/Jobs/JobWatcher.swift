import JobQueue
import RedisClient
import Synchronization

/// Follows jobs until each is final or gone.
final class JobWatcher: Sendable {
  /// A job to follow.
  struct Watched: Sendable {
    let key: String
    let line: ProgressBoard.ID
    /// The path of its image, if that is on this machine.
    var input: String?
  }

  /// How following a job ended.
  enum End: Sendable {
    /// All fields of a final job.
    case final(Job)
    /// There is no such job (any more).
    case gone
  }

  private struct State {
    var open: [Watched] = []
    var isComplete = false
  }

  private let redis: RedisClient
  private let board: ProgressBoard
  private let state = Mutex(State())
  /// Told each change of status; for `--json`.
  private let onChange: @Sendable (Job) -> Void

  private static let polled = [
    Field.status, Field.progress, Field.originalName, Field.lastError,
  ]
  /// Jobs asked for in one exchange.
  private static let pipelineLimit = 500
  /// Looks at a job without a hash before it counts as gone.
  private static let missLimit = 3
  /// Redis may be away this long.
  private static let outageLimit: Duration = .seconds(60)

  init(
    _ redis: RedisClient, _ board: ProgressBoard,
    onChange: @escaping @Sendable (Job) -> Void = { _ in }
  ) {
    self.redis = redis
    self.board = board
    self.onChange = onChange
  }

  /// Adds a job, also while others are followed.
  func add(_ job: Watched) { state.withLock { $0.open.append(job) } }

  /// Notes that no more jobs will be added: when all are final, following ends.
  func complete() { state.withLock { $0.isComplete = true } }

  /// Asks Redis until all jobs are final.
  ///
  /// - Parameter onEnd: called once for each job.
  /// - Throws: ``RedisError`` when Redis is away for a minute; `CancellationError`.
  func run(_ onEnd: (Watched, End) async -> Void) async throws {
    var lastStatus: [String: JobStatus] = [:]
    var misses: [String: Int] = [:]
    var outage: ContinuousClock.Instant?
    var round = 0
    while true {
      let (open, isComplete) = state.withLock { ($0.open, $0.isComplete) }
      if open.isEmpty, isComplete { return }
      do {
        let jobs = try await look(at: open)
        let positions = try await positions(of: jobs, round: round)
        outage = nil
        for (watched, job) in zip(open, jobs) {
          guard job.fields[Field.status] != nil else {
            misses[watched.key, default: 0] += 1
            if misses[watched.key] == Self.missLimit { await end(watched, .gone, onEnd) }
            continue
          }
          misses[watched.key] = nil
          if lastStatus.updateValue(job.status, forKey: watched.key) != job.status { onChange(job) }
          if job.status.isFinal {
            let whole = try await Job.read(watched.key, redis)
            if whole.status.isFinal { await end(watched, .final(whole), onEnd) }
          } else if job.status != .new || positions != nil {
            board.update(watched.line, job.progress(position: positions?[watched.key]))
          }
        }
      } catch let error as RedisError where error.isRetryable {
        let now = ContinuousClock.now
        if outage == nil { outage = now }
        if let outage, outage.duration(to: now) > Self.outageLimit { throw error }
      }
      round += 1
      try await Task.sleep(for: interval(round: round, count: open.count))
    }
  }

  private func end(
    _ watched: Watched, _ end: End, _ onEnd: (Watched, End) async -> Void
  ) async {
    state.withLock { $0.open.removeAll { $0.key == watched.key } }
    await onEnd(watched, end)
  }

  /// Often at first and while there are few jobs, so that a short job's end is seen at once.
  private func interval(round: Int, count: Int) -> Duration {
    let patience = Duration.milliseconds(round < 100 ? 50 : round < 300 ? 200 : 500)
    return max(patience, .milliseconds(min(count, 2000)))
  }

  /// The fields that progress needs, of each job.
  private func look(at open: [Watched]) async throws -> [Job] {
    var jobs: [Job] = []
    var rest = open[...]
    while !rest.isEmpty {
      let part = rest.prefix(Self.pipelineLimit)
      rest = rest.dropFirst(part.count)
      let replies = try await redis.pipeline(
        part.map { RedisCommand("HMGET", arguments: [$0.key] + Self.polled, idempotent: true) })
      for (watched, reply) in zip(part, replies) {
        // A key that holds something else is no job.
        let values = reply.array?.map(\.string) ?? []
        var fields: [String: String] = [:]
        for (name, value) in zip(Self.polled, values) { fields[name] = value }
        jobs.append(Job(key: watched.key, fields: fields))
      }
    }
    return jobs
  }

  /// Positions of the first waiting jobs, not at every look; nil when they were not asked for.
  private func positions(of jobs: [Job], round: Int) async throws -> [String: Int]? {
    let waiting = jobs.lazy.filter { $0.status == .new }.prefix(ProgressBoard.lineLimit).map(\.key)
    guard round % 5 == 0, !waiting.isEmpty else { return nil }
    return try await QueuePosition.find(Array(waiting), redis)
  }
}

extension Job {
  /// All fields of a job; none if there is no such hash.
  ///
  /// - Throws: ``RedisError``.
  static func read(_ key: String, _ redis: RedisClient) async throws -> Job {
    do {
      let reply = try await redis.send(RedisCommand("HGETALL", key, idempotent: true))
      let fields: [String: [UInt8]] = try reply.decode()
      return Job(key: key, fields: fields.mapValues { String(decoding: $0, as: UTF8.self) })
    } catch let error as RedisError where error.serverCode == "WRONGTYPE" {
      // The name of a queue, for example.
      return Job(key: key, fields: [:])
    }
  }
}

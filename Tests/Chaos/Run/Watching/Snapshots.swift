import JobQueue
import RedisClient

/// Looks at all jobs of a round in one step, again and again, and at what must not change any more.
///
/// A look counts only when all replicas have what the primary had at that moment. Then whichever of
/// them a failover picks has it too: replicas hold prefixes of the primary's history, a killed server
/// keeps what it answered (its log is written before it answers, and processes are killed here,
/// not machines), and one server at a time is harmed. So from then on no excuse is left.
struct Snapshots: Sendable {
  let stage: Stage
  let ledger: Ledger

  /// Reads, and writes a mark, which is what the replicas are asked about.
  private static let script = RedisScript(
    """
    local answer = {}
    for i, job in ipairs(KEYS) do
      local seen = redis.call('HMGET', job, 'status', 'finished_at', 'output_file_name',
        'output_url', 'reason', 'error_code', 'requeued')
      local placed = seen[1] and (seen[1] ~= 'new' or redis.call('TYPE', 'kiosk:job:' .. job).ok == 'hash'
        or redis.call('LPOS', ARGV[i], job)) and 1 or 0
      for f = 1, 7 do seen[f] = seen[f] or '' end
      seen[8] = placed
      answer[i] = seen
    end
    redis.call('SET', 'chaos-mark', redis.call('TIME')[1], 'EX', 600)
    return answer
    """)

  private static let batch = 100

  /// Looks until it is cancelled.
  func run() async {
    while !Task.isCancelled {
      await look()
      try? await Task.sleep(for: .milliseconds(200))
    }
  }

  /// Looks once.
  ///
  /// - Returns: whether it was certain.
  @discardableResult
  func look() async -> Bool {
    let jobs = ledger.all
    for start in stride(from: 0, to: jobs.count, by: Self.batch) {
      let part = jobs[start..<min(start + Self.batch, jobs.count)]
      let seen = try? await stage.redis.replicated(
        Self.script, keys: part.map(\.key), arguments: part.map(\.queue),
        to: stage.cluster.servers.count - 1, within: .milliseconds(300), timeout: .seconds(2))
      guard let seen, seen.replicaCount >= stage.cluster.servers.count - 1,
        let values = seen.value.array, values.count == part.count
      else { return false }
      for (job, value) in zip(part, values) { note(value.array ?? [], of: job) }
    }
    return true
  }

  private func note(_ value: [RedisValue], of job: TrackedJob) {
    guard value.count == 8 else { return stage.failures.add("no snapshot: \(value)", job: job.key) }
    let text = value.prefix(7).map { $0.string ?? "" }
    guard !text[0].isEmpty else {
      if job.isAccepted {
        // As it is now: it may have been removed after this look began.
        let wasRemoved = ledger[job.key]?.wasRemoved == true
        stage.failures.expect(wasRemoved, "its hash has vanished", job: job.key)
        ledger.change(job.key) { $0.isGone = true }
      }
      return
    }
    stage.failures.expect(!job.isGone, "its hash was made again: \(text)", job: job.key)
    // What a producer has not seen succeed is not promised. A parent makes its children itself.
    let isAccepted = job.parent != nil || job.isSubmitted && value[7] == 1
    ledger.change(job.key) { $0.isAccepted = $0.isAccepted || isAccepted }
    let requeued = Int(text[6]) ?? 0
    guard ["done", "failed"].contains(text[0]) else {
      if let end = job.end, end.requeued >= requeued {
        stage.failures.add("it was \(end.status) and is \(text[0])", job: job.key)
      }
      return
    }
    let end = TrackedJob.End(
      status: text[0], finishedAt: text[1], object: text[2], url: text[3], reason: text[4],
      errorCode: text[5], requeued: requeued)
    if let earlier = job.end, earlier.requeued >= end.requeued, earlier != end {
      stage.failures.add("its end has changed from \(earlier) to \(end)", job: job.key)
    }
    ledger.change(job.key) { $0.end = end }
  }
}

import JobQueue
import RedisClient

/// Whether the jobs of a queue get on.
struct QueueExamination {
  let queue: String
  let directory: QueueDirectory
  let redis: RedisClient
  let settings: DeliverySettings

  /// Members of a set, and entries of a list, that are looked at.
  private static let depth = 1000

  /// What is out of order, or one finding that nothing is.
  ///
  /// - Throws: ``RedisError`` when Redis does not answer; `CancellationError`.
  func findings() async throws -> [Finding] {
    let misplaced = try await misplacedKeys()
    // Nothing else can be asked of them.
    if !misplaced.isEmpty { return misplaced }
    let overviews = try await QueueOverview.read([queue], directory, redis)
    guard let overview = overviews.first else { return [] }
    let cards = try await WorkerCard.read(queue, redis)
    var findings = [pause(overview), absence(overview)]
    findings += silence(cards)
    findings.append(try await overdue())
    findings.append(try await childless())
    findings.append(try await orphans(cards))
    let problems = findings.compactMap { $0 }
    if !problems.isEmpty { return problems }
    return [
      finding(
        .ok,
        "\(overview.waiting) wait, \(overview.processing) in work, \(overview.workers) consumers")
    ]
  }

  private func finding(_ level: Finding.Level, _ state: String, hint: String? = nil) -> Finding {
    Finding(level, "queue", "\(queue): \(state)", hint: hint)
  }

  private func misplacedKeys() async throws -> [Finding] {
    let types = [
      (queue, "list"), (Keys.leases(of: queue), "zset"), (Keys.delayed(in: queue), "zset"),
      (Keys.limbo(of: queue), "zset"), (Keys.parked(in: queue), "zset"),
      (Keys.deadLetters(of: queue), "zset"), (Keys.workers(of: queue), "zset"),
      (Keys.events(of: queue), "stream"), (Keys.statistics(of: queue), "hash"),
      (Keys.configuration(of: queue), "hash"), (Keys.rate(of: queue), "string"),
      (Keys.callbacks, "zset"),
    ]
    let replies = try await redis.pipeline(
      types.map { RedisCommand("TYPE", $0.0, idempotent: true) })
    return zip(types, replies).compactMap { type, reply in
      guard let found = reply.string, found != "none", found != type.1 else { return nil }
      return finding(
        .fail, "\(type.0) is a \(found), not a \(type.1)",
        hint:
          "see what it holds and remove it: until then no job of the queue can be taken or ended")
    }
  }

  private func pause(_ overview: QueueOverview) -> Finding? {
    guard overview.isPaused, overview.waiting > 0 else { return nil }
    return finding(
      .warn, "\(overview.waiting) jobs wait and it is paused", hint: "kiosk resume \(queue)")
  }

  private func absence(_ overview: QueueOverview) -> Finding? {
    guard overview.workers == 0, overview.waiting > 0 else { return nil }
    return finding(
      .warn, "\(overview.waiting) jobs wait and no consumer was heard of lately",
      hint: "start one with QUEUE=\(queue), or see kiosk workers for those that were lost; "
        + "Python consumers are not seen here")
  }

  private func silence(_ cards: [WorkerCard]) -> [Finding] {
    cards.filter(\.isSilent).map { card in
      let jobs = card.jobs.isEmpty ? "" : ", with \(card.jobs.count) jobs in hand"
      return finding(
        .warn, "consumer \(card.name) was last heard of \(card.silence.roughText) ago\(jobs)",
        hint: "see its log; other consumers take its jobs when their leases end")
    }
  }

  /// Leases that somebody should have ended long ago.
  private func overdue() async throws -> Finding? {
    let now = try await redis.serverTime()
    let grace = settings.reapInterval * 3 + .seconds(2)
    let limit = now - Int(grace / .milliseconds(1))
    let reply = try await redis.send(
      RedisCommand("ZCOUNT", Keys.leases(of: queue), "-inf", limit, idempotent: true))
    guard let count = reply.integer, count > 0 else { return nil }
    return finding(
      .warn, "\(count) leases ended more than \(Int(grace.seconds.rounded())) s ago",
      hint: "no consumer of the queue looks for them: start one, or see the log of those there are")
  }

  /// Parents that should have gone on.
  private func childless() async throws -> Finding? {
    let reply = try await redis.send(
      RedisCommand("ZRANGE", Keys.parked(in: queue), 0, Self.depth - 1, idempotent: true))
    let parents = reply.array ?? []
    let kids = try await redis.pipeline(
      parents.map {
        RedisCommand("EXISTS", Keys.children(of: $0.string ?? ""), idempotent: true)
      })
    let count = kids.count { $0.integer == 0 }
    guard count > 0 else { return nil }
    return finding(
      .warn, "\(count) parked jobs wait for no child",
      hint: "consumers let them go on within about a minute; if this stays, start one")
  }

  /// Entries in lists of consumers that nobody hears of, and that no lease brings back.
  private func orphans(_ cards: [WorkerCard]) async throws -> Finding? {
    let known = Set(cards.filter { !$0.isSilent }.map(\.name))
    let lists = (directory.processingLists[queue] ?? []).filter {
      !known.contains(QueueDirectory.worker(ofList: $0))
    }
    var count = 0
    var found: [String] = []
    for list in lists {
      let reply = try await redis.send(
        RedisCommand("LRANGE", list, 0, Self.depth - 1, idempotent: true))
      let jobs = reply.array ?? []
      let leases = try await redis.pipeline(
        jobs.map {
          RedisCommand("ZSCORE", Keys.leases(of: queue), $0.bytes ?? [], idempotent: true)
        })
      let orphans = leases.count(where: \.isNull)
      count += orphans
      if orphans > 0 { found.append(list) }
    }
    guard count > 0 else { return nil }
    return finding(
      .warn, "\(count) jobs without a lease in \(found.prefix(3).joined(separator: ", "))",
      hint:
        "if no Python consumer of that name works on them, a janitor or a consumer started with "
        + "that HOSTNAME puts them back")
  }
}

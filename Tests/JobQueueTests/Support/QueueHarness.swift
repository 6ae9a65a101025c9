import JobQueue
import RedisClient
import TestSupport
import Testing

/// A queue on the test's own Redis, its workers, and the other programs that touch it.
struct QueueHarness {
  static let name = "predict"
  static let time = Timestamp(microseconds: 1_795_311_600_123_456)

  let redis: RedisClient
  var settings = DeliverySettings()

  init(change: (inout DeliverySettings) -> Void = { _ in }) throws {
    redis = try #require(RedisServer.connection)
    change(&settings)
  }

  /// A worker; each call makes another process.
  func worker(_ name: String = "pod-1", boot: String = RandomName.hex(digits: 8)) -> JobQueue {
    JobQueue(
      name: Self.name, worker: name, redis: redis, settings: settings, boot: boot,
      now: { Self.time })
  }

  /// A job as the web front end makes it.
  func submit(_ keys: String..., status: String = "new") async throws {
    for key in keys {
      try await redis.command("HSET", key, "status", status, "original_name", "a.tif")
      try await redis.command("LPUSH", Self.name, key)
    }
  }

  /// Submits a job and has it claimed.
  func claim(
    _ key: String, by worker: JobQueue, status: String = "new"
  ) async throws -> ClaimedJob {
    try await submit(key, status: status)
    return try #require(try await worker.claim(upTo: 1).jobs.first)
  }

  // MARK: What is there

  func list(_ key: String = name) async throws -> [String] {
    try await redis.command("LRANGE", key, 0, -1).decode()
  }

  func processing(_ worker: String = "pod-1") async throws -> [String] {
    try await list(Keys.processing(queue: Self.name, worker: worker))
  }

  func hash(_ key: String) async throws -> [String: String] {
    try await redis.command("HGETALL", key).decode()
  }

  func control(_ job: String) async throws -> [String: String] {
    try await hash(Keys.control(of: job))
  }

  /// Members with their scores.
  func scores(_ key: String) async throws -> [String: String] {
    try await redis.command("ZRANGE", key, 0, -1, "WITHSCORES").decode()
  }

  func leases() async throws -> Set<String> {
    Set(try await scores(Keys.leases(of: Self.name)).keys)
  }

  /// The server's clock in ms.
  func now() async throws -> Int {
    let parts: [Int] = try await redis.command("TIME").decode()
    return parts[0] * 1000 + parts[1] / 1000
  }

  /// Names of the events told about a job, in order.
  func events(_ job: String, in queue: String = name) async throws -> [String] {
    let entries = try #require(
      try await redis.command("XRANGE", Keys.events(of: queue), "-", "+").array)
    return entries.compactMap { entry in
      let fields: [String: String]? = try? entry.array?[1].decode()
      return fields?["job"] == job ? fields?["event"] : nil
    }
  }

  // MARK: What happens

  /// Lets the time of a sorted set's member come.
  func makeDue(_ job: String, in key: String) async throws {
    try await redis.command("ZADD", key, "XX", 1, job)
  }

  func endLease(_ job: String) async throws {
    try await makeDue(job, in: Keys.leases(of: Self.name))
  }

  /// What a janitor does first with an entry of a worker that it takes for dead.
  func stealEntry(_ job: String, from worker: String = "pod-1") async throws {
    try await redis.command("LREM", Keys.processing(queue: Self.name, worker: worker), 1, job)
  }

  /// Checks that nothing of the jobs is left but what expires by itself or has a bound.
  func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let bounded = ["kiosk:ev:", "kiosk:stat:", "kiosk:dead:", "kiosk:workers:"]
    let keys: [String] = try await redis.command("KEYS", "kiosk:*").decode()
    for key in keys where key != Keys.callbacks && !bounded.contains(where: key.hasPrefix) {
      let ttl: Int = try await redis.command("TTL", key).decode()
      #expect(ttl >= 0, "\(key) stays for ever", sourceLocation: sourceLocation)
    }
  }
}

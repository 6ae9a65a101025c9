import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// Workers, clients, operators, a janitor and chance, taking turns on one queue.
///
/// Scripts are atomic, so whatever processes do at the same time is some order of their calls; the
/// seed chooses one. Time passes where chance lets it: a lease ends, a delay is over.
struct Interleaving {
  let harness: QueueHarness
  var chance: SeededGenerator
  var workers: [Worker]
  /// Workers that were frozen with jobs in hand and have been replaced.
  var frozen: [Worker] = []
  /// Entries that the janitor has taken and not yet pushed.
  var stolen: [String] = []
  /// Jobs that clients were told are accepted.
  var accepted: [String] = []
  /// Jobs whose hash a client has removed.
  var removed: Set<String> = []
  /// How often a job was ended, by what the calls answered.
  var ends: [String: Int] = [:]
  /// How often an operator let a job run again.
  var requeues: [String: Int] = [:]
  /// Parents that have been parked, until they are claimed again.
  var parked: [String: (policy: ParkingPolicy, children: [String])] = [:]
  /// The final fields of jobs, as first seen.
  private var finals: [String: [String: String]] = [:]

  struct Worker {
    let name: String
    var queue: JobQueue
    var jobs: [ClaimedJob] = []
    /// Jobs that have been ended by a call that may be sent again.
    var reported: [ClaimedJob] = []
  }

  init(seed: Int) throws {
    harness = try QueueHarness {
      $0.limboTime = .seconds(600)
      $0.retries = RetrySchedule(maximumAttempts: 2, base: .seconds(1000), cap: .seconds(1000))
    }
    chance = SeededGenerator(seed: seed)
    workers = []
    workers = (0..<3).map { Worker(name: "pod-\($0)", queue: harness.worker("pod-\($0)")) }
  }

  // MARK: Checks

  /// Checks that what has ended stays as it is.
  mutating func checkFinals() async throws {
    for job in accepted where !removed.contains(job) {
      let fields = try await harness.hash(job)
      let end = fields.filter {
        ["status", "reason", "output_url", "finished_at", "error_code"].contains($0.key)
      }
      if let first = finals[job] {
        #expect(end == first, "\(job) changed after its end")
      } else if ["done", "failed"].contains(fields["status"]) {
        finals[job] = end
      }
    }
  }

  /// Checks that a parent that goes on had a reason to.
  mutating func checkWaited(_ job: ClaimedJob) async throws {
    guard let (policy, children) = parked.removeValue(forKey: job.key) else { return }
    var ended = 0
    var failed = 0
    for child in children {
      let status = try await harness.redis.command("HGET", child, "status").string
      // One that an operator let run again had ended before.
      if requeues[child, default: 0] > 0
        || status != "new" && status != "started"
          && status != "predicting" && status != "waiting"
      {
        ended += 1
      }
      if requeues[child, default: 0] > 0 || status == "failed" || status == nil { failed += 1 }
    }
    #expect(
      ended == children.count || policy == .failFast && failed > 0,
      "\(job.key) goes on after \(ended) of \(children.count) children")
  }

  /// Forgets an end that an operator undid.
  mutating func forgetFinal(_ job: String) {
    finals[job] = nil
    parked[job] = nil
  }

  /// Whether every accepted job has ended.
  func allHaveEnded() async throws -> Bool {
    for job in accepted where !removed.contains(job) {
      let status = try await harness.redis.command("HGET", job, "status").string
      guard ["done", "failed"].contains(status) else { return false }
    }
    return true
  }

  /// Checks what must hold once everything has come to rest.
  func checkRest() async throws {
    for job in accepted where !removed.contains(job) {
      let events = try await harness.events(job).filter {
        ["done", "failed", "canceled"].contains($0)
      }
      #expect(events.count == 1 + requeues[job, default: 0], "\(job): \(events)")
      #expect(ends[job, default: 0] <= 1 + requeues[job, default: 0], "\(job)")
      let url = try await harness.hash(job)["output_url"]
      #expect((url != nil) == (events.last == "done"))
    }
    #expect(try await harness.list().isEmpty)
    let lists: [String] = try await harness.redis.command("KEYS", "processing-*").decode()
    #expect(lists.isEmpty)
    var counts = try await harness.worker().counts()
    counts.dead = 0
    #expect(counts == QueueCounts())
    let kids: [String] = try await harness.redis.command("KEYS", "kiosk:kids:*").decode()
    #expect(kids.isEmpty)
    // Put there by this test.
    try await harness.redis.command("DEL", Keys.control(of: "junk 3"))
    try await harness.expectNothingLeft()
  }

  // MARK: Chance

  mutating func isTrue(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &chance) == 0 }

  mutating func pick<Element>(_ elements: [Element]) -> Element? {
    elements.randomElement(using: &chance)
  }

  mutating func pickWorker() -> Int { Int.random(in: workers.indices, using: &chance) }

  /// A job in hand of a worker that has one, taken out of its hands.
  mutating func takeJob() -> (worker: Int, job: ClaimedJob)? {
    guard let worker = pick(workers.indices.filter { !workers[$0].jobs.isEmpty }) else {
      return nil
    }
    let index = Int.random(in: workers[worker].jobs.indices, using: &chance)
    return (worker, workers[worker].jobs.remove(at: index))
  }
}

import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// What workers do, and what becomes of them.
extension Interleaving {
  mutating func claim() async throws {
    let worker = pickWorker()
    let claim = try await workers[worker].queue.claim(
      upTo: Int.random(in: 1...3, using: &chance))
    try await admit(claim, to: worker)
  }

  /// Ends that a claim has written are ends as well.
  mutating func admit(_ claim: Claim, to worker: Int) async throws {
    for job in claim.jobs { try await checkWaited(job) }
    workers[worker].jobs += claim.jobs
    for entry in claim.dropped where ["canceled", "crashed"].contains(entry.why) {
      ends[entry.key, default: 0] += 1
    }
  }

  mutating func finish() async throws {
    guard let (worker, job) = takeJob() else { return }
    let ending = try await workers[worker].queue.finish(
      job, .done, ["output_url": job.token.rawValue], claiming: isTrue(2) ? 1 : 0)
    try await note(ending, of: job, by: worker)
  }

  mutating func fail() async throws {
    guard let (worker, job) = takeJob() else { return }
    let kind = pick([JobFailure.Class.input, .transient, .transient, .capacity])!
    let failure = JobFailure(kind, reason: "Reason: \(job.token)", errorCode: "internal")
    let ending = try await workers[worker].queue.fail(
      job, failure, claiming: isTrue(2) ? 1 : 0, chance: 1)
    try await note(ending, of: job, by: worker)
  }

  private mutating func note(
    _ ending: Ending, of job: ClaimedJob, by worker: Int
  ) async throws {
    switch ending.outcome {
    case .written, .failed, .canceled:
      ends[job.key, default: 0] += 1
      workers[worker].reported.append(job)
    case .again: Issue.record("the first report of \(job.key) was taken for a repetition")
    case .retry, .released, .lost, .gone: break
    }
    try await admit(ending.next, to: worker)
  }

  /// A report whose reply was lost is sent again.
  mutating func reportAgain() async throws {
    guard let worker = pick(workers.indices.filter { !workers[$0].reported.isEmpty }),
      let job = pick(workers[worker].reported)
    else { return }
    let ending = try await workers[worker].queue.finish(
      job, .done, ["output_url": "again"], claiming: 1)
    #expect(ending.outcome != .written)
    try await admit(ending.next, to: worker)
  }

  mutating func update() async throws {
    guard let (worker, job) = takeJob() else { return }
    if try await workers[worker].queue.update(job, ["status": "predicting"]) == .held {
      workers[worker].jobs.append(job)
    }
  }

  mutating func release() async throws {
    guard let (worker, job) = takeJob() else { return }
    if try await workers[worker].queue.release(job) == .canceled { ends[job.key, default: 0] += 1 }
  }

  mutating func park() async throws {
    guard let (worker, job) = takeJob() else { return }
    // Children have none of their own.
    guard job.job.fields["kind"] != "child" else { return workers[worker].jobs.append(job) }
    let children = (0..<Int.random(in: 0...3, using: &chance)).map {
      ChildJob(
        of: job.key, index: $0, queue: QueueHarness.name, name: "\($0)",
        fields: ["kind": "child"])
    }
    let policy = pick([ParkingPolicy.failFast, .collectAll])!
    let answer = try await workers[worker].queue.park(job, waitingFor: children, policy)
    if answer == .held {
      parked[job.key] = (policy, children.map(\.key))
      for child in children where !accepted.contains(child.key) { accepted.append(child.key) }
    }
  }

  mutating func heartbeat() async throws {
    let worker = pickWorker()
    let jobs = workers[worker].jobs
    let answers = try await workers[worker].queue.heartbeat(
      jobs.map { JobBeat(job: $0.key, token: $0.token) })
    workers[worker].jobs.removeAll { [.lost, .gone].contains(answers[$0.key]) }
  }

  /// A process is killed and another of its name begins.
  mutating func crash() async throws {
    let worker = pickWorker()
    let name = workers[worker].name
    workers[worker] = Worker(name: name, queue: harness.worker(name))
    if isTrue(2) { note(try await workers[worker].queue.recover()) }
  }

  /// A process stands still, its leases end, and it wakes up later.
  mutating func freeze() async throws {
    let worker = pickWorker()
    let name = workers[worker].name
    for job in workers[worker].jobs { try await harness.endLease(job.key) }
    frozen.append(workers[worker])
    workers[worker] = Worker(name: name, queue: harness.worker(name))
  }

  mutating func thaw() async throws {
    guard !frozen.isEmpty else { return }
    let old = frozen.removeFirst()
    for job in old.jobs {
      let ending = try await old.queue.finish(job, .done, ["output_url": "late"])
      if ending.outcome == .written { ends[job.key, default: 0] += 1 }
    }
  }

  mutating func note(_ recoveries: [Recovery]) {
    for recovery in recoveries where ["crashed", "timeout", "canceled"].contains(recovery.what) {
      ends[recovery.job, default: 0] += 1
    }
  }

  mutating func reap() async throws {
    note(try await workers[pickWorker()].queue.reap(every: .zero))
  }

  /// Of parents that it cancelled the children of it names the parents.
  mutating func reconcile() async throws {
    _ = try await workers[pickWorker()].queue.heartbeat([])
    _ = try await workers[pickWorker()].queue.reconcile()
  }
}

import JobQueue
import Logging
import Redaction
import RedisClient
import Synchronization

/// One execution of one job: what is to be written to its hash, how long its stages took, and
/// whether this worker still has it.
///
/// A status is written at once, so that a poller sees each. Everything else waits for the next
/// status, the end, or a tick every half second, whichever comes first: most jobs need one command
/// for each visible status.
public final class JobRun: Sendable {
  package let claimed: ClaimedJob
  let queue: JobQueue
  public let logger: Logger
  private let breaker: ModelBreaker?

  private struct State {
    var pending: [String: String] = [:]
    /// What Redis has confirmed, which a failover may have lost all the same.
    var written: [String: String] = [:]
    /// Of the job's log, not yet written.
    var lines: [String] = []
    var durations: [JobStage: Duration] = [:]
    var progress: Int
    /// Where it began: at what the children of a parent are of it.
    var firstProgress = 0
    /// Names of all fields that were noted.
    var noted: Set<String> = []
    var parking: Parking?
    var predictRetries = 0
    var isHeldUp = false
    var cause: StopCause?
    var lastSign = ContinuousClock.now
  }

  private let state: Mutex<State>
  /// When it began.
  let start = ContinuousClock.now

  init(
    _ claimed: ClaimedJob, queue: JobQueue, logger: Logger, breaker: ModelBreaker? = nil
  ) {
    self.claimed = claimed
    self.queue = queue
    self.logger = logger
    self.breaker = breaker
    func number(_ field: String) -> Int {
      claimed.job[field].flatMap { Int($0) }.map { max(0, $0) } ?? 0
    }
    var state = State(progress: min(number(Field.progress), 100))
    if claimed.statusBeforeClaim == .waiting {
      state.firstProgress = state.progress
      state.predictRetries = number(Field.predictRetries)
    }
    self.state = Mutex(state)
  }

  public var job: Job { claimed.job }

  // MARK: Fields

  /// Fields to be written with the next write.
  package func note(_ fields: [String: String]) {
    state.withLock { state in
      state.pending.merge(fields) { $1 }
      state.noted.formUnion(fields.keys)
      state.lastSign = .now
    }
  }

  /// Whether the consumer has written a field, so that its end must not.
  func hasNoted(_ field: String) -> Bool { state.withLock { $0.noted.contains(field) } }

  /// Writes a status and everything noted before it.
  ///
  /// A Redis that is away does not stop the work: what could not be written goes with the next
  /// write, and the end of a job is repeated until it is written.
  package func setStatus(_ status: JobStatus) async throws {
    note([Field.status: status.rawValue])
    try await writePending()
  }

  /// Adds a line to the job's log, which people read beside its fields: `kiosk:log:<job>` keeps the
  /// last 1000 or so. It is written with the next write; of lines that come faster than they can be
  /// written the oldest are dropped. The service's own log has it at the level debug.
  public func log(_ line: String) {
    let line = line.redacted.onOneLine(of: 2000)
    logger.debug("job says", metadata: ["event": "job_log", "line": "\(line)"])
    state.withLock { state in
      state.lines.append(line)
      if state.lines.count > Self.lineLimit { state.lines.removeFirst() }
      state.lastSign = .now
    }
  }

  private static let lineLimit = 100

  /// Writes what was noted, if anything was.
  func writePending() async throws {
    let (fields, lines) = state.withLock { state in
      defer { (state.pending, state.lines) = ([:], []) }
      return (state.pending, state.lines)
    }
    guard !fields.isEmpty || !lines.isEmpty else { return }
    do {
      switch try await queue.update(claimed, fields, log: lines) {
      case .held:
        state.withLock { $0.written.merge(fields) { $1 } }
        return
      case .canceled: throw stop(because: .canceled)
      case .lost, .gone: throw stop(because: .lost)
      }
    } catch {
      // Also when cancelled: a tick that is stopped by the job's end must not take what belongs to it.
      state.withLock { state in
        state.pending.merge(fields) { newer, _ in newer }
        state.lines = (lines + state.lines).suffix(Self.lineLimit)
      }
      guard error is RedisError else { throw error }
      logger.warning(
        "could not write to the job", metadata: ["event": "job_update_failed", "error": "\(error)"])
    }
  }

  /// Writes the lines of the log that have not been, before the write that ends the job.
  func flushLog() async {
    guard !state.withLock({ $0.lines.isEmpty }) else { return }
    // What matters is said by the write of the end.
    try? await writePending()
  }

  var hasPending: Bool { state.withLock { !$0.pending.isEmpty } }

  /// What is still to be written, for the write that ends the job.
  func takePending() -> [String: String] {
    state.withLock { state in
      defer { state.pending = [:] }
      state.pending[Field.status] = nil
      return state.pending
    }
  }

  /// All that was noted, for the write that ends the job: a failover may have kept the claim and lost
  /// a later update, and the end must not be without what belongs to it.
  func takeAll() -> [String: String] {
    let pending = takePending()
    return state.withLock { state in
      state.written[Field.status] = nil
      return state.written.merging(pending) { $1 }
    }
  }

  // MARK: Progress

  /// Notes how far a stage has come, `fraction` in 0...1. The field never decreases. The stages of a
  /// job that waited for others are what these left of it.
  public func setProgress(_ stage: JobStage, _ fraction: Double) {
    let range = stage.progress
    setProgress(
      percent: range.lowerBound + fraction * (range.upperBound - range.lowerBound),
      atMost: range.upperBound)
  }

  /// Notes how much of the whole job is done, `fraction` in 0...1, for jobs whose parts are none of
  /// the stages. The field never decreases, and is 100 only at the end.
  public func setProgress(_ fraction: Double) {
    setProgress(percent: fraction * 100, atMost: 99)
  }

  private func setProgress(percent: Double, atMost limit: Double) {
    // Not a number counts as nothing: a division of an author's by zero must not end the process.
    let percent = percent > 0 ? min(percent, limit) : 0
    state.withLock { state in
      state.lastSign = .now
      let first = Double(state.firstProgress)
      let percent = Int(first + percent * (100 - first) / 100)
      guard percent > state.progress else { return }
      state.progress = percent
      state.pending[Field.progress] = String(percent)
    }
  }

  /// Adds to the time a stage has taken.
  package func addDuration(_ duration: Duration, to stage: JobStage) {
    state.withLock { state in
      state.durations[stage, default: .zero] += duration
      state.lastSign = .now
    }
  }

  /// Time spent by stage so far.
  public var durations: [JobStage: Duration] { state.withLock { $0.durations } }

  /// Counts predict calls that were sent again.
  package func addPredictRetries(_ count: Int) {
    state.withLock { state in
      state.predictRetries += count
      state.lastSign = .now
    }
  }

  /// Tells the job's owner what it waits for; `nil` once it goes on.
  func setHeldUp(by error: JobError?) {
    if error != nil {
      breaker?.began(claimed.token)
    } else {
      breaker?.ended(claimed.token)
    }
    state.withLock { state in
      state.lastSign = .now
      guard error != nil || state.isHeldUp else { return }
      state.isHeldUp = error != nil
      state.pending[Field.lastError] = error.map { "\($0.code.rawValue): \($0.message)" } ?? ""
    }
  }

  /// Notes that a model answered.
  func modelAnswered() {
    setHeldUp(by: nil)
    breaker?.answered()
  }

  // MARK: Parking

  /// What the job is to wait for when its consumer returns.
  var parking: Parking? {
    get { state.withLock { $0.parking } }
    set { state.withLock { $0.parking = newValue } }
  }

  // MARK: Life

  /// Says that the job goes on. What is noted, timed or counted says so too; a consumer that does
  /// nothing of it for `STALL_AFTER` seconds calls this, or its job goes to another worker.
  public func beat() {
    state.withLock { $0.lastSign = .now }
  }

  /// When the job last showed that it goes on.
  var lastSign: ContinuousClock.Instant { state.withLock { $0.lastSign } }

  package var predictRetries: Int { state.withLock { $0.predictRetries } }

  // MARK: Stopping

  /// Why a job is stopped before its end.
  enum StopCause: Sendable {
    /// Another worker has it, or a client removed it: nothing may be written any more.
    case lost
    /// This process ends: the job goes back to its queue.
    case shutdown
    /// Redis was away so long that the job may be another's by now.
    case lostContact
    /// Somebody wants it stopped.
    case canceled
    /// It took longer than it may.
    case timeout
  }

  /// Notes the first cause; the caller then cancels the job's task.
  @discardableResult
  func stop(because cause: StopCause) -> CancellationError {
    state.withLock { state in
      if state.cause == nil { state.cause = cause }
    }
    return CancellationError()
  }

  var stopCause: StopCause? { state.withLock { $0.cause } }
}

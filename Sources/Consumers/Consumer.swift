import Buckets
import JobQueue
import Logging

/// What works on the jobs of one queue. Subclass ``TensorFlowServingConsumer`` to write one.
///
/// One instance works in one slot and takes one job at a time, so a subclass may keep ordinary
/// variables. It is not `Sendable`; its asynchronous methods run on the slot's own thread, where
/// they may block and compute.
open class Consumer {
  public let context: ConsumerContext
  private var current: JobExecution?

  public required init(_ context: ConsumerContext) {
    self.context = context
  }

  /// The Redis list that consumers of this class serve where `QUEUE` names `queue`: that itself.
  open class func list(for queue: String) -> String { queue }

  /// Works on a job.
  ///
  /// - Returns: how it ended: `.done`, `.putBack` for a job to be taken again, or what
  ///   ``park(_:_:)`` gives for a job that waits for others.
  /// - Throws: what made the job fail; its description becomes the hash's `reason`. A
  ///   ``JobError`` says which `error_code` goes with it.
  open func consume(_ job: Job) async throws -> JobStatus {
    preconditionFailure("\(Self.self) does not override consume(_:)")
  }

  /// The run of the job in hand: its fields, its progress, its log.
  public var run: JobRun { execution.run }

  /// A folder for the job's files, removed when the job ends, however it ends.
  public var folder: JobFolder { execution.folder }

  /// Where the job's result is sent; nil for the bucket.
  var target: UploadTarget? { execution.target }

  /// Writes fields of the job's hash: a `status` at once, others with the next write, at the latest
  /// with the end of the job.
  ///
  /// - Throws: `CancellationError` when this worker no longer has the job.
  public func updateKey(_ job: Job, _ fields: [String: String]) async throws {
    run.note(fields)
    if fields[Field.status] != nil { try await run.writePending() }
  }

  /// Runs part of the job as a stage: timed, and checked for cancellation before it begins.
  public func stage<Result>(
    _ stage: JobStage, _ body: () async throws -> Result
  ) async throws -> Result {
    let timing = try begin(stage)
    defer { timing.end() }
    return try await body()
  }

  /// Runs a part that waits for nothing as a stage.
  public func stage<Result>(_ stage: JobStage, _ body: () throws -> Result) throws -> Result {
    let timing = try begin(stage)
    defer { timing.end() }
    return try body()
  }

  private func begin(_ stage: JobStage) throws -> StageTiming {
    try Task.checkCancellation()
    run.setProgress(stage, 0)
    return StageTiming(stage: stage, run: run)
  }

  private var execution: JobExecution {
    guard let current else {
      preconditionFailure("a consumer's helper was used outside consume(_:)")
    }
    return current
  }

  /// Calls ``consume(_:)`` with all that its helpers need.
  func execute(_ execution: JobExecution) async throws -> JobStatus {
    current = execution
    defer { current = nil }
    return try await consume(execution.run.job)
  }
}

/// A stage that has begun.
private struct StageTiming {
  let stage: JobStage
  let run: JobRun
  let start = ContinuousClock.now

  func end() {
    let duration = ContinuousClock.now - start
    run.addDuration(duration, to: stage)
    run.logger.debug(
      "stage ended",
      metadata: ["stage": "\(stage.rawValue)", "duration_ms": "\(duration.milliseconds)"])
  }
}

/// A job being worked on, with what belongs to it.
struct JobExecution: Sendable {
  let run: JobRun
  let folder: JobFolder
  /// Where its result is sent in place of the bucket.
  var target: UploadTarget?
}

extension JobStatus {
  /// Returned by a consumer to put its job back to the queue, as it was before it was claimed.
  public static let putBack = JobStatus.new
}

extension Duration {
  /// For logs: `12.3`
  var milliseconds: Double {
    (Double(components.seconds) * 10_000 + (Double(components.attoseconds) / 1e14)).rounded() / 10
  }

  /// Seconds as a decimal number, for fields of a job hash.
  var secondsText: String {
    "\(Double(components.seconds) + Double(components.attoseconds) / 1e18)"
  }
}

import ImageFiles
import JobQueue

/// Does the jobs of an archive of images: each file in it becomes a job of the queue that images wait in,
/// and their results become one archive.
///
/// The first part (`ZipConsumer+FanOut.swift`) makes the jobs and waits for them without holding a slot;
/// the second (`ZipConsumer+FanIn.swift`) is called when they have ended. A job that a Python consumer
/// left `waiting` is gone on with, and the other way round: what tells them of each other is in the
/// hash alone.
///
/// - Source: the zip consumer of kiosk-redis-consumer 0.17.2, except that it watches its children from a
///   worker, starts no job for `a,b.tif` that it can find again, and ends an archive with nothing to do
///   as done.
final class ZipConsumer: TensorFlowServingConsumer {
  override class func list(for queue: String) -> String { Keys.zipQueue(of: queue) }

  override func consume(_ job: Job) async throws -> JobStatus {
    try checkInput(job)
    let children = run.isResumed ? try await children(reading: ChildSums.fields) : []
    guard !children.isEmpty else { return try await fanOut(job) }
    guard children.allSatisfy(\.hasEnded) else {
      return try park(untilEnded: children.map(\.key))
    }
    return try await fanIn(children, job)
  }

  /// The list that the archive's files wait in.
  var imageQueue: String { Keys.queue(ofZipQueue: context.queue.name) ?? context.queue.name }

  private func checkInput(_ job: Job) throws {
    guard !job.inputFileName.isEmpty else {
      throw JobError(
        .invalidInput, "the job names no input: input_file_name is empty; upload an archive first")
    }
    guard job.inputFileName.lowercased().hasSuffix(".zip") else {
      throw JobError(
        .invalidInput,
        "Invalid filetype for \"\(context.queue.name)\" job: \(job.inputFileName.forReason) is no "
          + "zip archive; send it to the queue \"\(imageQueue)\"")
    }
  }
}

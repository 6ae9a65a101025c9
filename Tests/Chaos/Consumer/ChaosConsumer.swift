import Buckets
import ChaosJobs
import Consumers
import Foundation
import JobQueue

/// Does what the job's task says, by the calls that a real consumer uses.
final class ChaosConsumer: TensorFlowServingConsumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    guard let task = ChaosTask(job[ChaosNames.task] ?? "") else {
      throw JobError(.invalidInput, "\(job.key) says nothing of its task")
    }
    switch task.kind {
    case .plain:
      try await waitForRoom()
      try await Task.sleep(for: .milliseconds(task.pause))
    case .slow: try await work(for: .milliseconds(task.pause), job)
    case .stubborn:
      // Uploads before: what comes after a cancellation would not get that far.
      try await writeResult(job)
      usleep(UInt32(task.pause) * 1000)
      return .done
    case .silent:
      if run.deliveries == 1 { try await Task.sleep(for: .seconds(3600)) }
    case .wrong, .picture:
      throw JobError(.invalidInput, "the input of \(job.originalName) is wrong")
    case .passing:
      guard run.attempt >= task.passesAt else {
        throw JobError(.storage, "the disk was full at attempt \(run.attempt)")
      }
    case .hopeless: throw JobError(.storage, "the disk is full")
    case .overdue: try await work(for: .seconds(20), job)
    case .poison:
      kill(getpid(), SIGKILL)
      try await Task.sleep(for: .seconds(3600))
    case .parent, .hasty: return try await consumeParent(job, task.kind)
    }
    try await writeResult(job)
    return .done
  }

  private func waitForRoom() async throws {
    guard (try? await download(ChaosNames.full)) != nil else { return }
    try await Task.sleep(for: .milliseconds(100))
    throw JobError(.predictUnavailable, "there is no room", .capacity)
  }

  private func work(for duration: Duration, _ job: Job) async throws {
    let end = ContinuousClock.now + duration
    try await updateKey(job, [Field.status: JobStatus.predicting.rawValue])
    run.log("works for \(duration)")
    while ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(50))
      run.setProgress(1 - (end - .now) / duration)
    }
  }

  private func consumeParent(_ job: Job, _ kind: ChaosTask.Kind) async throws -> JobStatus {
    guard run.isResumed else {
      let tasks = (job[ChaosNames.children] ?? "").split(separator: " ")
      let parts = tasks.enumerated().map { index, task in
        JobSubmission(
          queue: ChaosNames.childQueue, originalName: ChaosNames.childName(index),
          inputFileName: job.inputFileName, fields: [ChaosNames.task: String(task)])
      }
      return try park(parts, kind == .hasty ? .failFast : .collectAll)
    }
    let results = try await children()
    let hasFailure = results.contains { $0.failure != nil }
    guard results.allSatisfy(\.hasEnded) || kind == .hasty && hasFailure else {
      throw JobError(.internal, "\(job.key) goes on before its children have ended")
    }
    var children: [ChaosResult.Child] = []
    for result in results {
      let object = result.isDone ? result[Field.outputFileName] : nil
      if let object {
        let text = try String(contentsOf: await download(object), encoding: .utf8)
        guard ChaosResult(text)?.job == result.key else {
          throw JobError(.internal, "the result of \(result.key) is another's: \(text)")
        }
      }
      children.append(
        ChaosResult.Child(
          key: result.key, status: result.status?.rawValue ?? "gone", object: object ?? "-"))
    }
    try await writeResult(job, children)
    return .done
  }

  private func writeResult(_ job: Job, _ children: [ChaosResult.Child] = []) async throws {
    let input = try String(contentsOf: await download(job.inputFileName), encoding: .utf8)
    let file = folder.url.appending(path: RandomName.hex(digits: 32) + ".txt")
    try ChaosResult(job: job.key, input: input, children: children).text
      .write(to: file, atomically: false, encoding: .utf8)
    let stored = try await upload(file)
    try await updateKey(
      job, [Field.outputFileName: stored.key, Field.outputURL: stored.url])
  }
}

import ConsumerTestSupport
import Foundation
import RedisConsumer
import TestSupport
import Testing

/// The guide's job that waits for others.
@Suite struct ParentExample {
  /// Counts the nuclei of all images of a list.
  final class ListConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      guard run.isResumed else {
        let list = try String(contentsOf: await download(job.inputFileName), encoding: .utf8)
        let images = list.split(separator: "\n").map { name in
          JobSubmission(
            queue: "nuclei", originalName: String(name), inputFileName: "uploads/\(name)",
            fields: job.requestFields)
        }
        return try park(images)
      }
      let images = try await children(reading: ["nuclei"])
      let counts = images.compactMap { $0["nuclei"].flatMap { Int($0) } }
      let failures = images.compactMap(\.failure)
      try await updateKey(
        job,
        [
          "nuclei": String(counts.reduce(0, +)), "uncounted": failures.joined(separator: "; "),
          Field.totalJobs: String(images.count),
        ])
      return .done
    }
  }

  /// Counts the letters of a name, of those that are no list.
  final class NucleiConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      guard job.channels == "1,", !job.inputFileName.contains(" ") else {
        throw JobError(.invalidInput, "\(job.originalName) is no name")
      }
      try await updateKey(job, ["nuclei": String(job.originalName.count)])
      return .done
    }
  }

  @Test func `a list of images is counted`() async throws {
    let folder = try TemporaryFolder()
    let list = URL(filePath: folder.file("list.txt"))
    try Data("one\nthree\nnot one\n".utf8).write(to: list)
    let result = try await ConsumerTest.run(
      ListConsumer.self, input: list, fields: ["channels": "1,"],
      others: ["nuclei": NucleiConsumer.self])
    #expect(result.status == .done, "\(result)")
    #expect(result.fields["nuclei"] == "8")
    #expect(result.fields["uncounted"] == "InvalidInput: not one is no name")
    #expect(result.fields["total_jobs"] == "3")
    withExtendedLifetime(folder) {}
  }
}

import ConsumerTestSupport
import Foundation
import RedisConsumer
import TestSupport
import Testing

/// The test of an author, tested.
@Suite struct ConsumerTestTests {
  /// Ends as the job says.
  final class ObedientConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      for status in (job["statuses"] ?? "").split(separator: ",") {
        try await updateKey(job, [Field.status: String(status)])
      }
      switch job["end"] {
      case "failed": throw JobError(.unsupportedModel, "no \"such\" model\\")
      case "never": try await Task.sleep(for: .seconds(600))
      case "hung": ConsumerTestTests.block()
      case "file":
        let file = folder.url.appending(path: "notes.txt")
        try Data("hello".utf8).write(to: file)
        let uploaded = try await upload(file)
        try await updateKey(job, [Field.outputFileName: uploaded.key])
      default: break
      }
      return .done
    }
  }

  /// Does not look at cancellation.
  private static func block() { Thread.sleep(forTimeInterval: 20) }

  private func run(
    _ fields: [String: String], timeLimit: Duration = .seconds(60)
  ) async throws -> ConsumerTestResult {
    try await withImage([1, 1], [0]) {
      try await ConsumerTest.run(
        ObedientConsumer.self, input: $0, fields: fields, timeLimit: timeLimit)
    }
  }

  @Test func `every status is seen in order`() async throws {
    let names = (1...50).map { "step \($0) \"é\"" }
    let result = try await run(["statuses": names.joined(separator: ",")])
    #expect(result.statuses.map(\.rawValue) == ["new", "started"] + names + ["done"])
    #expect(result.log.contains("job finished"))
  }

  @Test func `a failed job has its reason`() async throws {
    let result = try await run(["end": "failed"])
    #expect(result.status == .failed)
    #expect(result.statuses == [.new, .started, .failed])
    #expect(result.reason == "UnsupportedModel: no \"such\" model\\")
    #expect(result.fields["error_code"] == "unsupported_model")
    #expect(result.files.isEmpty)
  }

  @Test func `a result need not be an archive`() async throws {
    let result = try await run(["end": "file"])
    #expect(result.files.values.map { String(decoding: $0, as: UTF8.self) } == ["hello"])
    #expect(result.images.isEmpty)
    #expect(result.leftovers.isEmpty)
  }

  @Test(arguments: ["never", "hung"])
  func `a job that does not end says how far it came`(end: String) async throws {
    let error = await #expect(throws: TestSupportError.self) {
      try await run(["end": end, "statuses": "predicting"], timeLimit: .seconds(2))
    }
    #expect(error?.description.contains("[new, started, predicting]") == true, "\(error)")
  }

  @Test func `a missing input or program is named`() async throws {
    let missing = URL(filePath: "/nowhere/cells.tif")
    let noInput = await #expect(throws: TestSupportError.self) {
      try await ConsumerTest.run(ObedientConsumer.self, input: missing)
    }
    #expect(noInput?.description.contains("/nowhere/cells.tif") == true)
    let noProgram = await #expect(throws: TestSupportError.self) {
      try await ConsumerTest.run(program: "consume-nothing", type: "image", input: missing)
    }
    #expect(noProgram?.description.contains("consume-nothing is missing") == true)
  }

  @Test func `a program whose settings are wrong is quoted`() async throws {
    let error = await #expect(throws: TestSupportError.self) {
      try await withImage([1, 1], [0]) {
        try await ConsumerTest.run(program: "consume-redis-events", type: "toaster", input: $0)
      }
    }
    #expect(error?.description.contains("\"toaster\" is unknown") == true, "\(error)")
  }
}

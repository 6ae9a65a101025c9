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
    _ fields: [String: String], timeLimit: Duration = .seconds(120)
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

  @Test func `a job and those it waits for run in one call`() async throws {
    let result = try await withImage([1, 1], [0]) {
      try await ConsumerTest.run(
        SumConsumer.self, input: $0, fields: ["count": "4"], others: ["parts": PartConsumer.self])
    }
    #expect(result.status == .done, "\(result)")
    #expect(result.fields["sum"] == "14")
    #expect(result.statuses == [.new, .started, .waiting, .started, .done])
    #expect(result.leftovers.isEmpty)
  }

  @Test func `a job whose parts nobody does says what is missing`() async throws {
    let error = await #expect(throws: TestSupportError.self) {
      try await withImage([1, 1], [0]) {
        try await ConsumerTest.run(
          SumConsumer.self, input: $0, fields: ["count": "1"], timeLimit: .seconds(2))
      }
    }
    #expect(error?.description.contains("name their consumers as others:") == true, "\(error)")
  }

  final class PartConsumer: Consumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      let number = job["number"].flatMap { Int($0) } ?? 0
      try await updateKey(job, ["square": String(number * number)])
      return .done
    }
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

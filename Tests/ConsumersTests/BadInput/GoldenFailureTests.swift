import Arrays
import Consumers
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import TestSupport
import Testing

/// The failing jobs that the Python service was recorded with.
@Suite struct GoldenFailureTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var kind = JobKind.image
    let name: String
    let key: String
    var fields = ["channels": "0,", "dimension_order": "XY"]
    var original: String?
    /// Makes the input; nil if there is none.
    let input: @Sendable () throws -> [UInt8]?
    let code: String
    let words: String
    /// Those between `started` and `failed`.
    var statuses: [String] = []

    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "bad_corrupt_tiff", key: "uploads/corrupt.tif",
      input: {
        try [UInt8](Data(contentsOf: URL(filePath: Fixtures.jobs + "/inputs/corrupt.tif")))
      }, code: "invalid_input", words: "corrupt.tif"),
    Case(
      name: "bad_missing_file", key: "uploads/not-there.tif", original: "nuclear_256.tif",
      input: { nil }, code: "storage_not_found", words: "uploads/not-there.tif does not exist"),
    Case(
      name: "bad_too_large", key: "uploads/toolarge_2100x2100.tif",
      input: { try TestImage.tiff(NDArray(shape: [2100, 2100], repeating: 1)) },
      code: "invalid_input",
      words: "Input image is larger than the maximum supported image size of (2048, 2048). "
        + "Got (1, 2100, 2100, 1)", statuses: ["pre-processing"]),
    // There the hash never was `started`; here that and the claim are one step.
    Case(
      name: "bad_zip_in_image_queue", key: "uploads/good3.zip",
      input: { Array("PK\u{3}\u{4}".utf8) }, code: "invalid_input",
      words: "Invalid filetype for \"predict\" job"),
    Case(
      kind: .mesmer, name: "bad_channel_count", key: "uploads/mesmer_256_XYC.tif",
      fields: ["channels": "0"],
      input: {
        try [UInt8](Data(contentsOf: URL(filePath: Fixtures.jobs + "/inputs/mesmer_256_XYC.tif")))
      }, code: "invalid_input",
      words: "jobs require 2 channels but 1 were declared as input channels.",
      statuses: ["pre-processing"]),
  ]

  @Test(.redisServer, arguments: cases)
  func `a job that failed there fails here by the same statuses`(golden: Case) async throws {
    let bench = try await BadInputBench(nil, golden.kind)
    if let bytes = try golden.input() { try bench.put(bytes, at: golden.key) }
    let redis = bench.harness.redis
    let original = golden.original ?? String(golden.key.dropFirst("uploads/".count))
    let key = "segmentation:\(original):606091d9"
    let job = JobFields(
      golden.fields.merging([
        "cuts": "0", "input_file_name": golden.key, "original_name": original,
      ]) { $1 })
    try await bench.besideGoodJob(leaving: [key]) {
      try await job.submit(Array(key.utf8), to: ConsumerHarness.queue, redis)
      let fields = try await bench.fields(key)
      let code = try #require(JobError.Code(rawValue: golden.code))
      let reason = try BadInputTests.checkFailure(fields, code, bench.harness)
      #expect(reason.contains(golden.words), "\(reason)")
      #expect((fields["download_time"] != nil) == golden.statuses.contains("pre-processing"))
      // What was found out about the image.
      #expect(fields["dim_order"] == (golden.kind.type == "mesmer" ? "YXC" : nil))
      let statuses = try await Self.statuses(of: key, in: redis)
      #expect(statuses == golden.statuses + ["failed"])
    }
  }

  /// The statuses that the job's events tell of, without that of its claim.
  private static func statuses(of key: String, in redis: RedisClient) async throws -> [String] {
    let stream = Keys.events(of: ConsumerHarness.queue)
    let entries = try #require(try await redis.command("XRANGE", stream, "-", "+").array)
    return try entries.compactMap { entry in
      let fields: [String: String] = try #require(entry.array?[1]).decode()
      guard fields["job"] == key, let event = fields["event"] else { return nil }
      return ["started", "progress"].contains(event) ? nil : event
    }
  }
}

import Arrays
import Consumers
import Foundation
import ImageFiles
import RedisClient
import TestSupport
import Testing

/// The failing jobs that the Python service was recorded with.
@Suite struct GoldenFailureTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let key: String
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
  ]

  @Test(.redisServer, arguments: cases)
  func `a job that failed there fails here by the same statuses`(golden: Case) async throws {
    let bench = try await BadInputBench()
    if let bytes = try golden.input() { try bench.put(bytes, at: golden.key) }
    let redis = bench.harness.redis
    // The slow log keeps each command that Redis executed, with its arguments.
    try await redis.command("CONFIG", "SET", "slowlog-log-slower-than", 0)
    try await redis.command("CONFIG", "SET", "slowlog-max-len", 1000)
    let original = golden.original ?? String(golden.key.dropFirst("uploads/".count))
    let key = "segmentation:\(original):606091d9"
    let job = JobFields([
      "channels": "0,", "cuts": "0", "dimension_order": "XY", "input_file_name": golden.key,
      "original_name": original,
    ])
    try await bench.besideGoodJob(leaving: [key]) {
      try await job.submit(Array(key.utf8), to: ConsumerHarness.queue, redis)
      let fields = try await bench.fields(key)
      let code = try #require(JobError.Code(rawValue: golden.code))
      let reason = try BadInputTests.checkFailure(fields, code, bench.harness)
      #expect(reason.contains(golden.words), "\(reason)")
      #expect((fields["download_time"] != nil) == golden.statuses.contains("pre-processing"))
      let statuses = try await Self.statuses(of: key, in: redis)
      #expect(statuses == golden.statuses + ["failed"])
    }
  }

  /// The statuses that scripts were given to write.
  private static func statuses(of key: String, in redis: RedisClient) async throws -> [String] {
    let entries = try #require(try await redis.command("SLOWLOG", "GET", 1000).array)
    var statuses: [String] = []
    for entry in entries.reversed() {
      let words: [String] = try #require(entry.array?[3]).decode()
      // EVALSHA, and EVAL in its place where Redis did not know the script yet.
      guard words[0].hasPrefix("EVAL"), words.contains(key),
        let status = words.firstIndex(of: "status").map({ words[$0 + 1] }), status != statuses.last
      else { continue }
      statuses.append(status)
    }
    return statuses
  }
}

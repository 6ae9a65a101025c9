import Arrays
import Consumers
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import TestSupport
import Testing

/// Whatever comes in, the job ends with words its owner understands, and nothing else notices.
@Suite struct BadInputTests {
  @Test(.redisServer, arguments: BadInput.all)
  func `bad input ends its job in words and disturbs nobody`(row: BadInput) async throws {
    let bench = try await BadInputBench(row)
    try row.prepare(bench.harness.store)
    if let bytes = try row.inputBytes() {
      let key = row.job.inputKey
      let isPlain = key.wholeMatch(of: #/uploads\/bad\.[a-z]+/#) != nil
      try bench.put(bytes, at: isPlain ? key : BadInput.inputKey)
    }
    let key = "predict:bad.tif:1"
    try await bench.besideGoodJob(leaving: [key]) {
      try await row.job.submit(Array(key.utf8), to: ConsumerHarness.queue, bench.harness.redis)
      let fields = try await bench.fields(key)
      let reason = try Self.checkFailure(fields, row.code, bench.harness)
      for words in row.words { #expect(reason.contains(words), "\(reason)") }
      try await BadInputTable.shared.add(row, fields["error_code"] ?? "", reason)
    }
  }

  /// Checks all that a failed job must have.
  ///
  /// - Returns: its reason.
  static func checkFailure(
    _ fields: [String: String], _ code: JobError.Code, _ harness: ConsumerHarness
  ) throws -> String {
    #expect(fields["status"] == "failed")
    #expect(fields["error_code"] == code.rawValue)
    #expect(fields["finished_at"].flatMap(Timestamp.init) != nil)
    #expect(fields["updated_at"] == fields["finished_at"])
    #expect(fields["updated_by"] == "pod-1")
    #expect(fields["identity_started"] == "pod-1")
    #expect(fields["output_url"] == nil)
    #expect(fields["output_file_name"] == nil)

    let reason = try #require(fields["reason"])
    #expect(reason.wholeMatch(of: #/[A-Z][A-Za-z]+: .{10,750}/#) != nil, "\(reason)")
    #expect(!reason.unicodeScalars.contains { $0.properties.generalCategory == .control })
    for place in [
      harness.store.path, harness.work.path, NSTemporaryDirectory(), ".swift", "/home/",
    ] {
      #expect(!reason.contains(place), "\(reason)")
    }
    for junk in ["Optional(", "Error Domain", "NSError", "nil", "Swift."] {
      #expect(!reason.contains(junk), "\(reason)")
    }
    // `Type(field: ...)`, as Swift shows a value that was not made for people.
    #expect(reason.firstMatch(of: #/[A-Za-z]\([a-z]+[A-Za-z]*: /#) == nil, "\(reason)")
    return reason
  }
}

extension BadInputBench {
  /// Waits until a job has ended and returns its fields, whatever bytes they hold.
  func fields(_ key: String) async throws -> [String: String] {
    try await eventually("\(key) has ended") { [harness] in
      let status = try await harness.redis.command("HGET", key, "status")
      return status == "failed" || status == "done"
    }
    let values: [String: [UInt8]] = try await harness.redis.command("HGETALL", key).decode()
    return values.mapValues { String(decoding: $0, as: UTF8.self) }
  }
}

/// All messages as a table, to be read as a set: written to the file that `BAD_INPUT_TABLE` names.
private actor BadInputTable {
  static let shared = BadInputTable()
  private var lines: [String: String] = [:]

  func add(_ row: BadInput, _ code: String, _ reason: String) throws {
    guard let path = ProcessInfo.processInfo.environment["BAD_INPUT_TABLE"] else { return }
    lines[row.testDescription] = [row.testDescription, "`\(code)`", reason].map(cell).joined(
      separator: " | ")
    let rows = BadInput.all.compactMap { lines[$0.testDescription] }.map { "| \($0) |" }
    let table = ["| input | error_code | last line of reason |", "|---|---|---|"] + rows
    try (table.joined(separator: "\n") + "\n")
      .write(toFile: path, atomically: true, encoding: .utf8)
  }

  private func cell(_ text: String) -> String {
    text.replacing("|", with: "\\|").replacing("\n", with: "⏎").replacing("\0", with: "␀")
  }
}

import CurlClient
import Foundation
import Logging
import Retrying
import Synchronization
import TestSupport
import Testing

@testable import Buckets

/// Answers of every kind that stores give to range requests, and what breaks on the way.
@Suite struct RangedDownloadTests {
  private let work: TemporaryFolder
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  init() throws { work = try TemporaryFolder() }

  private struct Reader: ObjectReader {
    let client: HTTPClient
    let url: HTTPURL
    var beginsWithWhole = false

    func get(
      _ key: ObjectKey, _ range: Range<Int>, version: String?, into sink: RangeSink
    ) async throws {
      var fields: [HTTPField] = []
      if beginsWithWhole, range.lowerBound == 0, version == nil {
        sink.expectWhole(takingUpTo: range.upperBound)
      } else {
        fields.append(HTTPField("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
      }
      if let version { fields.append(HTTPField("If-Match", version)) }
      let head = try await client.transfer(
        HTTPRequest("GET", url, fields: fields), into: sink)
      if sink.isAccepted { return }
      if head.status == 412 { throw ObjectReplaced() }
      throw FailedTry(
        BucketError(.server, "HTTP \(head.status)", isRetryable: head.isTransientFailure),
        head.isTransientFailure ? .later(atLeast: head.retryAfter) : .never)
    }

    func version(of head: HTTPHead) -> String? { head["etag"] }
  }

  private static let bytes: [UInt8] = (0..<300_000).map {
    UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7)
  }

  private static func range(_ request: TestWebRequest) -> Range<Int> {
    let text = request.fields["range"] ?? ""
    let bounds = text.dropFirst(6).split(separator: "-").compactMap { Int($0) }
    return bounds.count == 2 ? bounds[0]..<bounds[1] + 1 : 0..<0
  }

  /// What a correct store answers.
  private static func part(
    _ request: TestWebRequest, of bytes: [UInt8], status: Int = 206, version: String = "\"a\""
  ) -> TestWebAnswer {
    let range = range(request)
    guard range.lowerBound < bytes.count else {
      return .respond(416, fields: ["Content-Range": "bytes */\(bytes.count)"])
    }
    let part = range.clamped(to: 0..<bytes.count)
    return .respond(
      status,
      fields: [
        "Content-Range": "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(bytes.count)",
        "ETag": version,
      ], body: Array(bytes[part]))
  }

  private func download(
    limit: Int = .max, from server: TestWebServer, beginsWithWhole: Bool = false,
    check: @escaping @Sendable (RangedDownload<Reader>.Result) throws -> Void = { _ in }
  ) async throws -> [UInt8] {
    let url = try HTTPURL("http://127.0.0.1:\(server.port)/b/k")
    var settings = TransferSettings()
    settings.multipartThreshold = 50_000
    settings.partSize = 30_000
    let client = try settings.makeClient()
    let key = try ObjectKey("uploads/k.bin")
    let operation = StoreOperation(
      key: key, settings: settings, clock: AnyClock(JumpingClock()), logger: logger)
    let download = RangedDownload(
      reader: Reader(client: client, url: url, beginsWithWhole: beginsWithWhole), key: key,
      folder: work.url, limit: limit, operation: operation)
    let result = try await operation.run {
      try await download.run { result in try check(result) }
    }
    #expect(try [UInt8](Data(contentsOf: result.file.commit())).count == result.size)
    return try [UInt8](Data(contentsOf: work.url.appending(path: "k.bin")))
  }

  @Test(arguments: [0, 1, 49_999, 50_000, 50_001, 80_000, 80_001, 300_000])
  func `an object of any size arrives`(size: Int) async throws {
    let bytes = Array(Self.bytes.prefix(size))
    let server = try await TestWebServer { Self.part($0, of: bytes) }
    #expect(try await download(from: server) == bytes)
    #expect(server.requests.count == (size <= 50_000 ? 1 : 1 + (size - 50_000 + 29_999) / 30_000))
    #expect(try work.files == ["k.bin"])
  }

  @Test func `200 with a range is a range, 200 without is everything`() async throws {
    let ranged = try await TestWebServer { Self.part($0, of: Self.bytes, status: 200) }
    #expect(try await download(from: ranged) == Self.bytes)
    let whole = try await TestWebServer { _ in .respond(200, body: Self.bytes) }
    #expect(try await download(from: whole) == Self.bytes)
    #expect(whole.requests.count == 1)
  }

  /// What a correct store answers, also to a request without a range.
  private static func any(
    _ request: TestWebRequest, of bytes: [UInt8], fields: [String: String]
  ) -> TestWebAnswer {
    if request.fields["range"] != nil { return part(request, of: bytes) }
    return .respond(200, fields: fields.merging(["ETag": "\"a\""]) { $1 }, body: bytes)
  }

  @Test(arguments: [0, 1, 49_999, 50_000, 50_001, 80_001, 300_000])
  func `a request for everything is left where the parts begin`(size: Int) async throws {
    let bytes = Array(Self.bytes.prefix(size))
    let server = try await TestWebServer {
      Self.any($0, of: bytes, fields: ["Accept-Ranges": "bytes"])
    }
    #expect(try await download(from: server, beginsWithWhole: true) == bytes)
    #expect(server.requests.count == (size <= 50_000 ? 1 : 1 + (size - 50_000 + 29_999) / 30_000))
    #expect(server.requests.count { $0.fields["range"] == nil } == 1)
  }

  @Test func `a store without ranges sends everything at once`() async throws {
    let server = try await TestWebServer { Self.any($0, of: Self.bytes, fields: [:]) }
    #expect(try await download(from: server, beginsWithWhole: true) == Self.bytes)
    #expect(server.requests.count == 1)
  }

  @Test func `a request for everything that breaks off is continued by ranges`() async throws {
    let bytes = Array(Self.bytes.prefix(1009))
    let server = try await TestWebServer { request in
      if request.fields["range"] == nil { return .breakOff(200, body: Array(bytes[..<9])) }
      return .respond(
        206, fields: ["Content-Range": "bytes 9-1008/1009"], body: Array(bytes[9...]))
    }
    #expect(try await download(from: server, beginsWithWhole: true) == bytes)
  }

  @Test func `a part that breaks off is continued`() async throws {
    let count = Mutex(0)
    let server = try await TestWebServer { request in
      let range = Self.range(request)
      if count.withLock({
        $0 += 1
        return $0
      }) % 3 != 0 {
        return .reset
      }
      return Self.part(request, of: Self.bytes, status: range.isEmpty ? 500 : 206)
    }
    #expect(try await download(from: server) == Self.bytes)
  }

  @Test(arguments: [false, true])
  func `an object that is replaced meanwhile is read anew`(looksAtVersions: Bool) async throws {
    let second = Array(Self.bytes.reversed())
    let first = Mutex(true)
    let replaced = try await TestWebServer { request in
      let isFirst = first.withLock { first in
        defer { first = false }
        return first
      }
      if isFirst { return Self.part(request, of: Self.bytes) }
      if looksAtVersions, request.fields["if-match"] == "\"a\"" { return .respond(412) }
      return Self.part(request, of: second, version: "\"b\"")
    }
    #expect(try await download(from: replaced) == second)
  }

  @Test func `damaged bytes are fetched a second time, and no third time`() async throws {
    let server = try await TestWebServer { Self.part($0, of: Self.bytes) }
    let checks = Mutex(0)
    let damaged = FailedTry(BucketError(.checksum, "damaged"), .once(.damaged))
    _ = try await download(from: server) { _ in
      if checks.withLock({
        $0 += 1
        return $0
      }) == 1 {
        throw damaged
      }
    }
    let error = await #expect(throws: BucketError.self) {
      try await download(from: server) { _ in throw damaged }
    }
    #expect(error?.code == .checksum)
    #expect(error?.tries == 2)
  }

  @Test func `an object larger than the limit is refused before and while it comes`() async throws {
    let announced = try await TestWebServer { Self.part($0, of: Self.bytes) }
    let flood = try await TestWebServer { _ in .flood(200) }
    for server in [announced, flood] {
      let error = await #expect(throws: BucketError.self) {
        try await download(limit: 200_000, from: server)
      }
      #expect(error?.code == .tooLarge)
      #expect(server.requests.count == 1)
    }
    #expect(try work.files.isEmpty)
  }

  @Test(arguments: [
    ["Content-Range": "bytes 5-9/300000"], ["Content-Range": "bytes 0-9/*"],
    ["Content-Range": "nonsense"], [:],
  ])
  func `answers to another question are failures`(fields: [String: String]) async throws {
    let server = try await TestWebServer { _ in .respond(206, fields: fields, body: [1, 2, 3]) }
    let error = await #expect(throws: BucketError.self) { try await download(from: server) }
    #expect(error?.code == .server)
    #expect(try work.files.isEmpty)
  }

  @Test(arguments: 0..<10)
  func `cancelled at any moment, it stops and leaves nothing`(seed: Int) async throws {
    let server = try await TestWebServer { request in
      Self.range(request).lowerBound > 150_000 ? .silence : Self.part(request, of: Self.bytes)
    }
    let task = Task { try await download(from: server) }
    try await Task.sleep(for: .milliseconds(seed * 5))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try work.files.isEmpty)
  }
}

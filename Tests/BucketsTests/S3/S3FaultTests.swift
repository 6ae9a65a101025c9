import Foundation
import Retrying
import TestSupport
import Testing

@testable import Buckets

/// Uploads and downloads while the way to the server, or the server, fails.
@Suite(.s3Servers, .transfers) struct S3FaultTests {
  static let part = 5 << 20

  let work: TemporaryFolder
  let server: S3Server
  let proxy: FaultProxy
  let bucket: S3Bucket

  init() async throws {
    work = try TemporaryFolder()
    server = try await S3Server.shared(.seaweedFS)
    proxy = try await FaultProxy(to: server.port)
    bucket = try server.open(through: proxy.endpoint) { $0.useSmallParts() }
  }

  private func isStored(_ stored: StoredObject, _ file: URL) async throws -> Bool {
    try await bucket.download(stored.key, into: work) == Data(contentsOf: file)
  }

  static let passing: [Fault] = [
    .s3Error(500, "InternalError"), .slowDown(retryAfter: 0), .s3Error(400, "RequestTimeout"),
    .s3Error(400, "BadDigest"), .answer(FaultAnswer(429)), .answer(FaultAnswer(502)),
    .cut(.request, after: 0), .reset(.request, after: 0), .cut(.request, after: 300_000),
    .reset(.request, after: 1 << 20), .reset(.response, after: 0), .loseReply,
    .hugeError(503, mebibytes: 8), .corrupt(.request, at: 77_777),
    .answer(FaultAnswer(503, isEarly: true, closes: true)),
  ]

  @Test(arguments: passing.indices) func `a request that fails once is repeated`(
    index: Int
  ) async throws {
    proxy.inject(Self.passing[index], "PUT")
    let small = try work.newFile(bytes: 2 << 20)
    #expect(try await isStored(bucket.upload(small), small))
    proxy.inject(Self.passing[index], "PUT", "partNumber=2")
    let large = try work.newFile(bytes: Self.part + 2 << 20)
    #expect(try await isStored(bucket.upload(large), large))
    #expect(proxy.faultCount == 2)
  }

  static let downloads: [Fault] = [
    .s3Error(500, "InternalError"), .cut(.response, after: 0), .cut(.response, after: 3_000_000),
    .reset(.response, after: 1_000_000), .cut(.request, after: 0), .answer(FaultAnswer(429)),
  ]

  @Test(arguments: downloads.indices) func `a download that breaks off goes on`(
    index: Int
  ) async throws {
    let file = try work.newFile(bytes: 3 * Self.part + 1)
    let stored = try await bucket.upload(file)
    proxy.inject(Self.downloads[index], times: 2, "GET")
    #expect(try await isStored(stored, file))
    #expect(proxy.faultCount == 2)
  }

  @Test func `a damaged download is found by its checksum and fetched again`() async throws {
    let bucket = try server.open(through: proxy.endpoint) { $0.checksum = .crc32c }
    let file = try work.newFile(bytes: 1 << 20)
    let stored = try await bucket.upload(file)
    proxy.inject(.corrupt(.response, at: 500_000), "GET")
    #expect(try await isStored(stored, file))
    proxy.inject(.corrupt(.response, at: 5), times: 2, "GET")
    let folder = try TemporaryFolder()
    let error = await #expect(throws: BucketError.self) {
      try await bucket.download(stored.key, into: folder)
    }
    #expect(error?.code == .checksum)
    #expect(try folder.files == [])
  }

  @Test func `damage in one of several parts is found by the checksum of the whole`() async throws {
    let file = try work.newFile(bytes: 2 * Self.part)
    let stored = try await server.open { $0.checksum = .crc32c }.upload(file)
    proxy.inject(.corrupt(.response, at: 500_000), skipping: 1, "GET")
    #expect(try await isStored(stored, file))
    #expect(proxy.faultCount == 1)
    #expect(proxy.requests.count == 4)
  }

  @Test func `an object that is replaced while it is read is read anew`() async throws {
    let (old, new) = (
      try work.newFile(bytes: 3 * Self.part), try work.newFile(bytes: 3 * Self.part)
    )
    let name = old.lastPathComponent
    let stored = try await bucket.upload(old)
    proxy.inject(.stall(.response, after: 100), "GET")
    // The part that stalls is asked for again once the connection is cut, with the old version.
    async let copy = bucket.download(stored.key, into: work)
    try await eventually("a part stalls") { proxy.faultCount == 1 }
    let renamed = work.url.appending(path: "new/\(name)")
    try FileManager.default.createDirectory(
      at: renamed.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.moveItem(at: new, to: renamed)
    _ = try await server.open { $0.useSmallParts() }.upload(renamed)
    proxy.cut()
    #expect(try await copy == Data(contentsOf: renamed))
  }

  @Test func `an upload that fails for good leaves no parts`() async throws {
    for text in ["partNumber=2", "uploadId="] {
      proxy.inject(.s3Error(403, "AccessDenied"), text == "uploadId=" ? "POST" : "PUT", text)
      let file = try work.newFile(bytes: 3 * Self.part)
      let error = await #expect(throws: BucketError.self) { try await bucket.upload(file) }
      #expect(error?.code == .accessDenied)
      #expect(error?.description.contains("s3:PutObject") == true)
      #expect(proxy.requests.contains { $0.method == "DELETE" })
      #expect(try await !server.hasParts(of: file))
    }
  }

  @Test func `parts that cannot be removed at first are removed later`() async throws {
    proxy.inject(.s3Error(403, "AccessDenied"), "PUT", "partNumber=1")
    proxy.inject(.s3Error(500, "InternalError"), times: 2, "DELETE")
    let file = try work.newFile(bytes: 2 * Self.part)
    await #expect(throws: BucketError.self) { try await bucket.upload(file) }
    #expect(proxy.requests.count { $0.method == "DELETE" } == 3)
    #expect(try await !server.hasParts(of: file))
  }

  @Test func `parts that cannot be removed are named in the log, for a rule to remove`()
    async throws
  {
    let log = RecordedLog()
    let bucket = try server.open(through: proxy.endpoint, log: log) { $0.useSmallParts() }
    proxy.inject(.s3Error(403, "AccessDenied"), "PUT", "partNumber=2")
    proxy.inject(.s3Error(403, "AccessDenied"), times: 3, "DELETE")
    let file = try work.newFile(bytes: 2 * Self.part)
    let error = await #expect(throws: BucketError.self) { try await bucket.upload(file) }
    #expect(error?.description.contains("s3:PutObject") == true)
    let request = try #require(proxy.requests.last { $0.method == "DELETE" })
    let id = try #require(request.target.split(separator: "=").last)
    #expect(
      log.count {
        $0.hasPrefix("warning") && $0.contains(id) && $0.contains(file.lastPathComponent)
          && $0.contains("lifecycle rule")
      } == 1)
    #expect(try await server.hasParts(of: file))
    #expect(try await server.curl("DELETE", String(request.target.dropFirst())).status == 204)
  }

  @Test(arguments: S3Program.allCases) func `an upload whose last answer is lost is complete`(
    program: S3Program
  ) async throws {
    let server = try await S3Server.shared(program)
    let proxy = try await FaultProxy(to: server.port)
    let bucket = try server.open(through: proxy.endpoint) { $0.useSmallParts() }
    proxy.inject(.loseReply, "POST", "uploadId=")
    let file = try work.newFile(bytes: 2 * Self.part + 1)
    let stored = try await bucket.upload(file)
    #expect(try await bucket.download(stored.key, into: work) == Data(contentsOf: file))
    let requests = proxy.requests.map { "\($0.method) \($0.target)" }
    #expect(requests.count { $0.hasPrefix("POST") && $0.hasSuffix("uploads=") } == 1, "\(requests)")
  }

  @Test func `an upload that the store forgets is started over, once`() async throws {
    proxy.inject(.s3Error(404, "NoSuchUpload"), "PUT", "partNumber=2")
    let first = try work.newFile(bytes: 2 * Self.part + 1)
    #expect(try await isStored(bucket.upload(first), first))
    proxy.inject(.s3Error(404, "NoSuchUpload"), "POST", "uploadId=")
    let second = try work.newFile(bytes: 2 * Self.part + 1)
    #expect(try await isStored(bucket.upload(second), second))
    proxy.inject(.s3Error(404, "NoSuchUpload"), times: 2, "POST", "uploadId=")
    let third = try work.newFile(bytes: 2 * Self.part + 1)
    let error = await #expect(throws: BucketError.self) { try await bucket.upload(third) }
    #expect(error?.answer?.serviceCode == "NoSuchUpload")
  }

  @Test func `an object from before is not taken for one that is complete`() async throws {
    let (old, name) = (try work.newFile(bytes: 2 * Self.part), "again.zip")
    let again = work.url.appending(path: name)
    try FileManager.default.moveItem(at: old, to: again)
    _ = try await bucket.upload(again)
    // Stores tell times in seconds.
    try await Task.sleep(for: .seconds(3))
    try FileManager.default.removeItem(at: again)
    try FileManager.default.moveItem(at: work.newFile(bytes: 2 * Self.part), to: again)
    proxy.inject(.s3Error(404, "NoSuchUpload"), "POST", "uploadId=")
    let stored = try await bucket.upload(again)
    #expect(
      try await bucket.download(stored.key, into: TemporaryFolder()) == Data(contentsOf: again))
  }

  @Test func `an error in an answer of success is an error`() async throws {
    let file = try work.newFile(bytes: 2 * Self.part + 1)
    proxy.inject(.s3Error(200, "InternalError"), "POST", "uploadId=")
    #expect(try await isStored(bucket.upload(file), file))
    proxy.inject(.s3Error(200, "InvalidPart"), "POST", "uploadId=")
    let other = try work.newFile(bytes: 2 * Self.part + 1)
    let error = await #expect(throws: BucketError.self) { try await bucket.upload(other) }
    #expect(error?.answer?.serviceCode == "InvalidPart")
    #expect(try await !server.hasParts(of: other))
  }

  @Test func `a store that keeps failing is left once the deadline is over`() async throws {
    let clock = JumpingClock()
    let bucket = try server.open(through: proxy.endpoint, clock: AnyClock(clock)) {
      $0.transfers.retryDeadline = .seconds(30)
      $0.transfers.maximumBackoff = .seconds(10)
    }
    proxy.inject(.slowDown(retryAfter: 7), times: 2, "PUT")
    proxy.inject(.s3Error(503, "SlowDown"), times: 10_000, "PUT")
    let file = try work.newFile(bytes: 10)
    let error = await #expect(throws: BucketError.self) { try await bucket.upload(file) }
    #expect(error?.code == .throttled)
    #expect(error?.isRetryable == true)
    #expect(error?.tries == proxy.requests.count)
    #expect(clock.sleeps.prefix(2) == [.seconds(7), .seconds(7)])
    #expect(clock.now.offset > .seconds(20) && clock.now.offset <= .seconds(30))
  }
}

import Foundation
import TestSupport
import Testing

@testable import Buckets

/// Calls that end before their time.
@Suite(.s3Servers, .transfers) struct S3CancellationTests {
  static let part = MultipartUpload.smallestPart

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

  /// With and without a server that answers, at each of the requests and at times between them.
  @Test(arguments: 0..<24) func `a call that is cancelled ends soon and leaves nothing`(
    seed: Int
  ) async throws {
    var generator = SeededGenerator(seed: seed)
    let isUpload = seed % 2 == 0
    let file = try work.newFile(bytes: 3 * Self.part)
    let folder = try TemporaryFolder()
    let stored = try isUpload ? nil : await server.open().upload(file)
    if seed < 18 {
      // An upload whose beginning is not answered would be unknown to everyone.
      let direction: Fault.Direction = isUpload ? .request : .response
      let place =
        Bool.random(using: &generator) ? 0 : Int.random(in: 1..<Self.part, using: &generator)
      proxy.inject(.stall(direction, after: place), skipping: seed / 2 % (isUpload ? 5 : 3))
    }
    let task = Task { [bucket] in
      if let stored {
        _ = try await bucket.download(stored.key, into: folder)
      } else {
        _ = try await bucket.upload(file)
      }
    }
    if seed < 18 {
      // A body that is shorter than the place goes on; then the call ends.
      try await eventually("a request stalls") { [proxy] in proxy.faultCount == 1 }
    }
    try await Task.sleep(for: .microseconds(Int.random(in: 0...100_000, using: &generator)))
    task.cancel()
    try await within(.seconds(20), "a cancelled call") { _ = await task.result }
    #expect(try folder.files.allSatisfy { !$0.contains(".part-") })
    proxy.heal()
    proxy.cut()
    await bucket.close()
    #expect(try await !server.hasParts(of: file))
    // The client's thread lets go of what it sent a moment after it has told of the end.
    try await eventually("all files are closed") { [work] in
      try openFiles(below: work).isEmpty && openFiles(below: folder).isEmpty
    }
  }

  @Test func `a call that is cancelled while it removes parts ends before they are`() async throws {
    let file = try work.newFile(bytes: 2 * Self.part)
    proxy.inject(.s3Error(403, "AccessDenied"), "PUT", "partNumber=1")
    proxy.inject(.stall(.request, after: 0), times: 2, "DELETE")
    let task = Task { [bucket] in try await bucket.upload(file) }
    try await eventually("parts are removed") { [proxy] in
      proxy.requests.contains { $0.method == "DELETE" }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    // It goes on, and is waited for at the end.
    #expect(proxy.requests.count { $0.method == "DELETE" } < 3)
    await bucket.close()
    #expect(proxy.requests.count { $0.method == "DELETE" } == 3)
    #expect(try await !server.hasParts(of: file))
  }

  @Test(arguments: [3 << 20, 3 * part]) func `an upload that is killed stores nothing`(
    size: Int
  ) async throws {
    let file = try work.newFile(bytes: size)
    let isInParts = size > Self.part
    proxy.inject(.stall(.request, after: 1 << 20), "PUT", isInParts ? "partNumber=2" : "")
    let (endpoint, path) = (proxy.endpoint, file.path)
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [endpoint = endpoint as String, path = path as String] in
      var settings = S3Settings(bucket: S3Server.bucket)
      settings.endpoint = endpoint
      settings.useSmallParts()
      let bucket = try S3Bucket(
        settings, credentials: FixedS3Credential(S3Server.credential()))
      _ = try await bucket.upload(URL(filePath: path), to: UploadDestination()) { _ in
        kill(getpid(), SIGKILL)
      }
    }
    #expect(proxy.faultCount == 1)
    proxy.heal()
    proxy.cut()
    let key = "output/\(file.lastPathComponent)"
    let error = await #expect(throws: BucketError.self) {
      try await bucket.download(key, into: work)
    }
    #expect(error?.answer?.serviceCode == "NoSuchKey")
    // Nobody is left to remove the parts, and they stand in nobody's way.
    #expect(try await server.hasParts(of: file) == isInParts)
    let stored = try await bucket.upload(file)
    #expect(try await bucket.download(stored.key, into: work) == Data(contentsOf: file))
  }
}

/// Files of this process that are open.
func openFiles(below folder: TemporaryFolder) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
  }.filter { $0.hasPrefix(folder.path) }
}

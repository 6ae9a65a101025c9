import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Buckets

/// What servers that check signatures accept and keep.
@Suite(.s3Servers, .transfers) struct S3ServersTests {
  let work: TemporaryFolder

  init() throws { work = try TemporaryFolder() }

  static let part = 5 << 20

  private func openInParts(_ server: S3Server) throws -> S3Bucket {
    try server.open { $0.useSmallParts() }
  }

  @Test(
    arguments: S3Program.allCases,
    [
      "a b", "a+b", "%41", "é日本", "?&=#", "~()*!'", ":;,=", "\"<>^`{|}", "$@[]", "_.-",
      String(repeating: "x/y日", count: 150),
    ])
  func `any key is kept`(program: S3Program, name: String) async throws {
    let server = try await S3Server.shared(program)
    let bucket = try server.open()
    let file = try work.randomFile("in/f.zip", bytes: 1000)
    let folder = "\(UUID().uuidString)/\(name)"
    let stored = try await bucket.upload(file, below: folder)
    #expect(stored.key == "output/\(folder)/f.zip")
    #expect(try await bucket.download(stored.key, into: work) == Data(contentsOf: file))
    try await bucket.delete(ObjectKey(stored.key))
    let error = await #expect(throws: BucketError.self) {
      try await bucket.download(stored.key, into: work)
    }
    #expect(error?.code == .notFound)
    #expect(error?.answer?.serviceCode == "NoSuchKey")
    #expect(error?.tries == 1)
  }

  @Test func `a key with two slashes is not made another on its way`() async throws {
    // rclone takes none, SeaweedFS keeps one slash of them.
    let bucket = try await S3Server.shared(.seaweedFS).open()
    let file = try work.randomFile("slashes.zip", bytes: 10)
    let stored = try await bucket.upload(file)
    #expect(
      try await bucket.download("output//slashes.zip", into: work) == Data(contentsOf: file))
    try await bucket.delete(ObjectKey(stored.key))
  }

  @Test(
    arguments: S3Program.allCases, [0, 1, part - 1, part, part + 1, 2 * part, 3 * part + 12345])
  func `a file of any size comes back`(program: S3Program, size: Int) async throws {
    let bucket = try openInParts(try await S3Server.shared(program))
    let file = try work.randomFile("in/\(size).zip", bytes: size)
    let moved = Mutex(0)
    let folder = UUID().uuidString
    let stored = try await bucket.upload(
      file, to: UploadDestination(subdirectory: folder, contentType: "application/zip")
    ) { bytes in
      moved.withLock { $0 = bytes }
    }
    #expect(moved.withLock { $0 } == size)
    #expect(stored.url == bucket.url(for: try ObjectKey(stored.key)))
    let copy = try await bucket.download(ObjectKey(stored.key), into: work.url, limit: size) {
      bytes in
      moved.withLock { $0 = bytes }
    }
    #expect(moved.withLock { $0 } == size)
    #expect(try Data(contentsOf: copy) == Data(contentsOf: file))
    #expect(copy.path == work.url.path + "/\(folder)/\(size).zip")
    try await bucket.delete(ObjectKey(stored.key))
  }

  @Test(arguments: S3Program.allCases)
  func `an object over the limit is refused before it is read`(program: S3Program) async throws {
    let server = try await S3Server.shared(program)
    let bucket = try openInParts(server)
    let stored = try await bucket.upload(try work.randomFile("in/big.zip", bytes: Self.part + 9))
    let error = await #expect(throws: BucketError.self) {
      try await bucket.download(ObjectKey(stored.key), into: work.url, limit: Self.part) { _ in }
    }
    #expect(error?.code == .tooLarge)
    #expect(try work.files == ["in/big.zip"])
  }

  @Test(
    arguments: S3Settings.UploadChecksum.allCases, [100, part + 1]
  ) func `SeaweedFS accepts our checksums`(
    checksum: S3Settings.UploadChecksum, size: Int
  ) async throws {
    let bucket = try await S3Server.shared(.seaweedFS).open {
      $0.checksum = checksum
      $0.useSmallParts()
    }
    let file = try work.randomFile("in/\(checksum)-\(size).zip", bytes: size)
    let stored = try await bucket.upload(file, below: "checksums")
    #expect(try await bucket.download(stored.key, into: work) == Data(contentsOf: file))
  }

  @Test(arguments: S3Program.allCases)
  func `a wrong secret fails for good at the first try`(program: S3Program) async throws {
    let server = try await S3Server.shared(program)
    let proxy = try await FaultProxy(to: server.port)
    let bucket = try server.open(through: proxy.endpoint, secret: "another")
    let file = try work.randomFile("in/a.zip", bytes: 10)
    let error = await #expect(throws: BucketError.self) { try await bucket.upload(file) }
    #expect(error?.code == .credentials)
    #expect(error?.isRetryable == false)
    #expect(error?.description.contains("AWS_SECRET_ACCESS_KEY") == true)
    #expect(error?.answer?.serviceCode == "SignatureDoesNotMatch")
    #expect(error?.answer?.server == "http://127.0.0.1:\(proxy.port)")
    await #expect(throws: BucketError.self) { try await bucket.check() }
    #expect(proxy.requests.count == 2)
  }

  @Test(arguments: S3Program.allCases)
  func `a presigned URL opens without a credential, for its time`(
    program: S3Program
  ) async throws {
    let server = try await S3Server.shared(program)
    let lateness = Lateness()
    let bucket = try server.open(lateness: lateness) {
      $0.urls = ResultURLs(form: .presigned, lifetime: .seconds(3600))
    }
    let file = try work.randomFile("in/sign é+1.zip", bytes: 100)
    let stored = try await bucket.upload(file)
    let path = stored.url.dropFirst(server.endpoint.count + 1)
    #expect(try await server.curl("GET", String(path), secret: "").status == 200)
    let changed = path.replacing("sign", with: "sing")
    #expect([400, 403].contains(try await server.curl("GET", String(changed), secret: "").status))

    // As it was signed two hours ago, for one.
    lateness.seconds = 7200
    let late = bucket.url(for: try ObjectKey(stored.key)).dropFirst(server.endpoint.count + 1)
    #expect(late.contains("X-Amz-Signature"))
    #expect([400, 403].contains(try await server.curl("GET", String(late), secret: "").status))
  }

  @Test(arguments: [-7200, 7200]) func `a clock that is wrong is corrected, which is told once`(
    seconds: Int
  ) async throws {
    let server = try await S3Server.shared(.seaweedFS)
    let log = RecordedLog()
    let bucket = try server.open(log: log, lateness: Lateness(seconds: seconds)) {
      $0.useSmallParts()
    }
    let file = try work.randomFile("in/skewed\(seconds).zip", bytes: 3 * Self.part)
    let stored = try await bucket.upload(file)
    #expect(try await bucket.download(stored.key, into: work) == Data(contentsOf: file))
    #expect(log.count { $0.contains("storage_clock") } == 1)
    #expect(await bucket.facts().clockOffset.map { abs($0 - seconds) < 60 } == true)
  }

  @Test(arguments: S3Program.allCases)
  func `a bucket that works passes its check, and a missing one does not`(
    program: S3Program
  ) async throws {
    let server = try await S3Server.shared(program)
    try await server.open().check()
    let error = await #expect(throws: BucketError.self) {
      try await server.open { $0.bucket = "no-such-bucket" }.check()
    }
    #expect(error?.answer?.serviceCode == "NoSuchBucket")
    #expect(error?.description.contains("STORAGE_BUCKET") == true)
  }

  @Test func `rights to objects alone are enough`() async throws {
    let server = try await S3Server.shared(.seaweedFS)
    let proxy = try await FaultProxy(to: server.port)
    let bucket = try server.open(
      through: proxy.endpoint, accessKeyID: S3Server.objectsAccessKeyID
    ) { $0.useSmallParts() }
    try await bucket.check()
    for size in [10, Self.part + 1] {
      let file = try work.randomFile("in/objects\(size).zip", bytes: size)
      let stored = try await bucket.upload(file)
      #expect(try await bucket.download(stored.key, into: work) == Data(contentsOf: file))
      try await bucket.delete(ObjectKey(stored.key))
    }
    proxy.inject(.s3Error(403, "AccessDenied"), "PUT", "partNumber=2")
    let file = try work.randomFile("in/denied.zip", bytes: Self.part + 1)
    await #expect(throws: BucketError.self) { try await bucket.upload(file) }
    #expect(try await !server.uploads().contains("denied.zip"))
  }

  @Test(arguments: S3Program.allCases)
  func `removing twice is no error`(program: S3Program) async throws {
    let bucket = try await S3Server.shared(program).open()
    let stored = try await bucket.upload(try work.randomFile("in/twice.zip", bytes: 10))
    try await bucket.delete(ObjectKey(stored.key))
    try await bucket.delete(ObjectKey(stored.key))
  }

  @Test func `a bucket can be part of the host's name`() async throws {
    let server = try await S3Server.shared(.seaweedFS)
    // Names below it are this machine's too.
    let bucket = try server.open(through: "http://localhost:\(server.port)") {
      $0.addressing = .virtual
      $0.useSmallParts()
      $0.urls = ResultURLs(form: .presigned)
    }
    let file = try work.randomFile("in/host é.zip", bytes: Self.part + 1)
    let stored = try await bucket.upload(file)
    #expect(stored.url.hasPrefix("http://\(server.bucket).localhost:\(server.port)/output/host%20"))
    #expect(try await bucket.download(stored.key, into: work) == Data(contentsOf: file))
    #expect(try await server.open().download(stored.key, into: work) == Data(contentsOf: file))
    let copy = work.file("copy")
    try await runTool(
      "curl", ["--silent", "--fail", "--noproxy", "*", "--output", copy, stored.url])
    #expect(try Data(contentsOf: URL(filePath: copy)) == Data(contentsOf: file))
  }

  @Test func `over TLS bodies are not hashed for the signature`() async throws {
    let server = try await S3Server.start(
      .seaweedFS, certificates: try await TestCertificates())
    let bucket = try openInParts(server)
    #expect(!bucket.connection.signsBodies)
    for size in [0, 100, Self.part + 1] {
      let file = try work.randomFile("in/\(size).zip", bytes: size)
      let stored = try await bucket.upload(file, below: "tls")
      #expect(try await bucket.download(stored.key, into: work) == Data(contentsOf: file))
    }
    try await server.stop()
  }

  @Test func `facts tell how the bucket is reached, and no secret`() async throws {
    let server = try await S3Server.shared(.seaweedFS)
    let bucket = try server.open()
    try await bucket.check()
    let facts = await bucket.facts()
    #expect(
      facts.details.map(\.name) == [
        "endpoint", "region", "addressing", "checksum", "credential",
      ])
    #expect(facts.details[0].value == "\(server.endpoint)/\(server.bucket)")
    #expect(facts.details[4].value == "AKID… from settings")
    #expect(facts.clockOffset.map { abs($0) <= 1 } == true)
    #expect(facts.warnings == [])
  }
}

import Foundation
import Retrying
import TestSupport
import Testing

@testable import Buckets

/// A bucket that wants to see tokens.
@Suite struct GoogleAccessTests {
  private let work: TemporaryFolder
  private let log = RecordedLog()
  private let clock = JumpingClock()

  init() throws { work = try TemporaryFolder() }

  /// A token server that hands out `token-1`, `token-2` and so on.
  private func tokenServer() async throws -> TestWebServer {
    let count = Counter()
    return try await TestWebServer { _ in
      .respond(200, #"{"access_token":"token-\#(count.next())","expires_in":3600}"#)
    }
  }

  private func bucket(
    _ fake: GoogleFake, _ server: TestWebServer, _ change: (inout GoogleSettings) -> Void = { _ in }
  ) async throws -> GoogleBucket {
    let account = try await TestServiceAccount.shared
    let path = work.file("key.json")
    try account.file(tokenURL: server.url("/token")).write(to: URL(filePath: path))
    var settings = GoogleSettings(bucket: fake.bucket)
    settings.credentials.file = path
    settings.singleRequestLimit = 100_000
    settings.transfers.partSize = GoogleRig.chunk
    change(&settings)
    return try GoogleBucket(
      settings, GoogleSurroundings(clock: AnyClock(clock), storage: fake.url), logger: log.logger)
  }

  private func upload(_ bytes: [UInt8], _ bucket: GoogleBucket) async throws {
    let file = work.url.appending(path: "a.zip")
    try Data(bytes).write(to: file)
    _ = try await bucket.upload(file, to: UploadDestination()) { _ in }
  }

  @Test func `one token does for all requests, and the payer is named`() async throws {
    let fake = try await GoogleFake(tokens: ["token-1"])
    let server = try await tokenServer()
    let bucket = try await bucket(fake, server) { $0.quotaProject = "payer" }
    for size in [10, 600_000] {
      try await upload(GoogleRig.bytes(size), bucket)
      let key = try ObjectKey("output/a.zip")
      _ = try await bucket.download(key, into: work.url, limit: .max) { _ in }
      try await bucket.check()
      try await bucket.delete(key)
    }
    #expect(server.requests.count == 1)
    let sessions = fake.requests(.chunk)
    #expect(sessions.count == 3 && sessions.allSatisfy { $0.fields["authorization"] == nil })
    let others = fake.requests.filter { $0.operation != .chunk }
    #expect(others.allSatisfy { $0.fields["authorization"] == "Bearer token-1" })
    #expect(others.allSatisfy { $0.fields["x-goog-user-project"] == "payer" })
  }

  @Test func `a token that is refused is renewed once`() async throws {
    let fake = try await GoogleFake(tokens: ["token-2"])
    let server = try await tokenServer()
    let bucket = try await bucket(fake, server)
    try await upload([1], bucket)
    #expect(server.requests.count == 2 && fake.requests.count == 2)

    fake.accept(["token-3"])
    try await bucket.check()
    let error = try await #require(throws: BucketError.self) {
      fake.accept([])
      try await upload([1], bucket)
    }
    #expect(error.code == .credentials && error.tries == 2 && !error.isRetryable)
    #expect(error.description.contains("credentials of service account worker@project-1"))
    #expect(!error.description.contains(work.path))
    #expect(clock.sleeps.isEmpty)
  }

  @Test func `many requests at the same time cause one request for a token`() async throws {
    let fake = try await GoogleFake(tokens: ["token-1"])
    let server = try await tokenServer()
    let bucket = try await bucket(fake, server)
    func checkManyTimes() async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<30 { group.addTask { try await bucket.check() } }
        try await group.waitForAll()
      }
    }
    try await checkManyTimes()
    #expect(server.requests.count == 1)

    fake.accept(["token-2"])
    try await checkManyTimes()
    #expect(server.requests.count == 2)
  }

  @Test func `a token that cannot be renewed is an error in the server's words`() async throws {
    let fake = try await GoogleFake(tokens: ["other"])
    let count = Counter()
    let server = try await TestWebServer { _ in
      count.next() == 1
        ? .respond(200, #"{"access_token":"token-1","expires_in":3600}"#)
        : .respond(400, #"{"error":"invalid_grant","error_description":"Account deleted."}"#)
    }
    let bucket = try await bucket(fake, server)
    let error = try await #require(throws: BucketError.self) { try await bucket.check() }
    #expect(error.code == .credentials && error.description.contains("Account deleted."))
    #expect(server.requests.count == 2 && fake.requests.count == 1)
  }

  @Test func `who cancels does not wait for a token`() async throws {
    let fake = try await GoogleFake(tokens: ["token-1"])
    let server = try await TestWebServer { _ in .silence }
    let bucket = try await bucket(fake, server)
    let check = Task { try await bucket.check() }
    try await eventually("a token is asked for") { server.requests.count == 1 }
    check.cancel()
    let result = try await within(.seconds(20), "the end") { await check.result }
    #expect(throws: CancellationError.self) { try result.get() }
  }

  @Test func `who shows nothing to a closed bucket is told so`() async throws {
    let fake = try await GoogleFake(tokens: ["token-1"])
    let server = try await tokenServer()
    let bucket = try await bucket(fake, server) { $0.credentials.isAnonymous = true }
    let error = try await #require(throws: BucketError.self) { try await bucket.check() }
    #expect(error.code == .credentials && error.description.contains("wants credentials"))
    #expect(error.description.contains("set GOOGLE_APPLICATION_CREDENTIALS"))
    #expect(fake.requests.allSatisfy { $0.fields["authorization"] == nil })
    #expect(server.requests.isEmpty)
  }

  @Test func `what is asked for is what is needed`() async throws {
    let fake = try await GoogleFake()
    for (acl, scope) in [(GoogleSettings.PublicACL.never, "read_write"), (.auto, "full_control")] {
      let server = try await tokenServer()
      try await bucket(fake, server) { $0.publicACL = acl }.check()
      let assertion = try #require(formFields(server.requests[0].body)["assertion"])
      let claims = assertion.split(separator: ".")[1].replacing("-", with: "+")
        .replacing("_", with: "/")
      let data = Data(
        base64Encoded: claims + String(repeating: "=", count: (4 - claims.count % 4) % 4))
      #expect(String(decoding: try #require(data), as: UTF8.self).contains("devstorage.\(scope)"))
    }
  }

  @Test func `how the bucket is reached is told without secrets`() async throws {
    let fake = try await GoogleFake(tokens: ["token-1"])
    let server = try await tokenServer()
    let bucket = try await bucket(fake, server)
    try await bucket.check()
    let facts = await bucket.facts()
    #expect(facts.details.contains(.init("endpoint", fake.url)))
    let credential = try #require(facts.details.first { $0.name == "credential" })
    #expect(credential.value.contains(TestServiceAccount.email))
    #expect(!"\(facts)".contains("PRIVATE KEY") && facts.warnings.isEmpty)
  }

  @Test func `no secret is in any log or error`() async throws {
    let account = try await TestServiceAccount.shared
    let fake = try await GoogleFake(tokens: ["token-1", "token-2", "token-3"])
    let server = try await tokenServer()
    var texts: [String] = []
    func note(_ body: () async throws -> Void) async {
      do { try await body() } catch { texts += ["\(error)", String(reflecting: error)] }
    }
    let key = try ObjectKey("output/a.zip")
    let faults: [GoogleFault] = [
      .answer(400, body: "no: http://x/upload?upload_id=session-1"), .answer(403), .answer(404),
      .answer(412), .resetUpload(after: 5), .loseAnswer, .answer(500),
      .answer(200, body: "{}"), .answer(308, fields: ["Range": "bytes=9-9"]), .answer(401),
    ]
    for fault in faults {
      let bucket = try await bucket(fake, server) { $0.transfers.retryDeadline = .seconds(1) }
      fake.always { _ in fault }
      await note { try await upload(GoogleRig.bytes(10), bucket) }
      await note { _ = try await bucket.download(key, into: work.url, limit: .max) { _ in } }
      await note { try await bucket.check() }
      fake.always { [.chunk, .state].contains($0.operation) ? fault : nil }
      await note { try await upload(GoogleRig.bytes(300_000), bucket) }
      // What is under way is in memory and nowhere else.
      await bucket.close()
      dump(bucket, to: &texts[0])
    }
    #expect(texts.count > faults.count * 4)
    let line = account.pem.split(separator: "\n")[3]
    for secret in ["token-", "session-", "upload_id", "Bearer", line, "assertion"] {
      #expect(!log.text.contains(secret), "\(secret)")
      #expect(!texts.contains { $0.contains(secret) }, "\(secret)")
    }
  }
}

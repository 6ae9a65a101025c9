import Foundation
import Retrying
import TestSupport
import Testing

@testable import Buckets

@Suite struct SignedURLTests {
  private static let now = 1_767_323_045  // 2026-01-02T03:04:05Z
  private static let query =
    "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=worker%40project-1.iam.gserviceaccount.com"
    + "%2F20260102%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20260102T030405Z"
    + "&X-Goog-Expires=3600&X-Goog-SignedHeaders=host&X-Goog-Signature="
  private let work: TemporaryFolder
  private let log = RecordedLog()

  init() throws { work = try TemporaryFolder() }

  /// Compared with what google-cloud-storage 3.17.1 for Python makes of the same.
  @Test func `what is signed is what Google's own client signs`() {
    let url = SignedURL(
      "https://storage.googleapis.com/test-bucket/output/a%20b%2B%C3%A9~%281%29.zip", now: Self.now,
      lifetime: 3600)
    #expect(
      url.stringToSign(email: TestServiceAccount.email) == """
        GOOG4-RSA-SHA256
        20260102T030405Z
        20260102/auto/storage/goog4_request
        d97259c55635ba470bd17774eefc8cdc3b41324c9699b197804d73aa10716d8f
        """)
    #expect(
      url.text(email: TestServiceAccount.email, signature: [1, 2])
        == "https://storage.googleapis.com/test-bucket/output/a%20b%2B%C3%A9~%281%29.zip?"
        + Self.query + "0102")
  }

  private func settings(_ change: (inout GoogleSettings) -> Void) -> GoogleSettings {
    var settings = GoogleSettings(bucket: "test-bucket")
    settings.urls = ResultURLs(form: .presigned, lifetime: .seconds(3600))
    change(&settings)
    return settings
  }

  private func bucket(
    signing: String = "", storage: String? = nil, _ change: (inout GoogleSettings) -> Void
  ) throws -> GoogleBucket {
    try GoogleBucket(
      settings(change),
      GoogleSurroundings(
        clock: AnyClock(JumpingClock()), now: { Self.now }, storage: storage, signing: signing),
      logger: log.logger)
  }

  @Test func `a key signs without a request`() async throws {
    let account = try await TestServiceAccount.shared
    let path = work.file("key.json")
    try account.file(tokenURL: "https://oauth2.googleapis.com/token").write(
      to: URL(filePath: path))
    let bucket = try bucket { $0.credentials.file = path }
    let url = bucket.url(for: try ObjectKey("output/a b.zip"))
    let start = "https://storage.googleapis.com/test-bucket/output/a%20b.zip"
    try #require(url.hasPrefix(start + "?" + Self.query))
    let digits = Array(url.dropFirst(start.count + 1 + Self.query.count))
    let signature = stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
    let signed = SignedURL(start, now: Self.now, lifetime: 3600)
    #expect(
      try await account.hasSigned(
        signed.stringToSign(email: TestServiceAccount.email), Data(signature)))
  }

  @Test func `Google signs for a machine whose key it keeps`() async throws {
    let fake = try await GoogleFake(tokens: ["storage"])
    let server = try await TestWebServer { request in
      if request.target.hasSuffix("/email") {
        return .respond(
          200, fields: ["Metadata-Flavor": "Google"], body: Array(TestServiceAccount.email.utf8))
      }
      if request.target.hasSuffix(":signBlob") {
        return request.fields["authorization"] == "Bearer all"
          ? .respond(200, #"{"keyId":"k","signedBlob":"AQID"}"#) : .respond(403, "no")
      }
      let token = request.target.contains("cloud-platform") ? "all" : "storage"
      return .respond(
        200, fields: ["Metadata-Flavor": "Google"],
        body: Array(#"{"access_token":"\#(token)","expires_in":3600}"#.utf8))
    }
    let bucket = try bucket(signing: server.url(""), storage: fake.url) {
      $0.credentials.metadataHost = "127.0.0.1:\(server.port)"
    }
    try await bucket.check()
    let file = work.url.appending(path: "a.zip")
    try Data([1]).write(to: file)

    let stored = try await bucket.upload(file, to: UploadDestination()) { _ in }

    #expect(stored.url == "\(fake.url)/test-bucket/output/a.zip?\(Self.query)010203")
    let signing = try #require(server.requests.last)
    #expect(
      signing.target == "/v1/projects/-/serviceAccounts/"
        + "worker%40project-1.iam.gserviceaccount.com:signBlob")
    struct Body: Decodable { var payload: Data }
    let text = try JSONDecoder().decode(Body.self, from: Data(signing.body)).payload
    #expect(
      String(decoding: text, as: UTF8.self)
        == SignedURL("\(fake.url)/test-bucket/output/a.zip", now: Self.now, lifetime: 3600)
        .stringToSign(email: TestServiceAccount.email))
    // Nothing can be signed without a request, which this call may not make.
    #expect(bucket.url(for: try ObjectKey("a")) == "\(fake.url)/test-bucket/a")
    #expect(!log.text.contains("X-Goog-Signature"))
  }

  @Test func `who may not sign learns which role is missing`() async throws {
    let fake = try await GoogleFake()
    let server = try await TestWebServer { request in
      if request.target.hasSuffix(":signBlob") {
        return .respond(403, GoogleFakeError.json(403, "forbidden", "Permission denied"))
      }
      let body =
        request.target.hasSuffix("/email")
        ? TestServiceAccount.email : #"{"access_token":"a","expires_in":3600}"#
      return .respond(200, fields: ["Metadata-Flavor": "Google"], body: Array(body.utf8))
    }
    let bucket = try bucket(signing: server.url(""), storage: fake.url) {
      $0.credentials.metadataHost = "127.0.0.1:\(server.port)"
    }
    let error = try await #require(throws: BucketError.self) { try await bucket.check() }
    #expect(error.code == .credentials && error.tries == 1)
    #expect(error.description.contains("roles/iam.serviceAccountTokenCreator"))
  }

  @Test func `where nobody can sign the bucket cannot be opened`() throws {
    let error = try #require(throws: BucketError.self) {
      try bucket { $0.credentials.isAnonymous = true }
    }
    #expect(error.code == .credentials)
    #expect(error.description.contains("STORAGE_OUTPUT_URL=presigned"))
  }

  @Test(arguments: ["", "ab", "A-bucket", "b/c", "b?c", "x y z"])
  func `a bucket must have a name that can be one`(name: String) throws {
    #expect(throws: BucketError.self) {
      try bucket {
        $0.bucket = name
        $0.credentials.isAnonymous = true
        $0.urls.form = .public
      }
    }
  }
}

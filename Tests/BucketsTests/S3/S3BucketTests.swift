import CurlClient
import Foundation
import TestSupport
import Testing

@testable import Buckets

/// What a bucket finds out before the first job.
@Suite struct S3BucketTests {
  private func bucket(
    _ server: TestWebServer, credential: AWSCredential? = nil, urls: ResultURLs = ResultURLs()
  ) throws -> S3Bucket {
    var settings = S3Settings(bucket: "lab")
    settings.endpoint = "http://127.0.0.1:\(server.port)"
    settings.urls = urls
    settings.transfers.retryDeadline = .zero
    return try S3Bucket(settings, credentials: FixedS3Credential(credential))
  }

  private static func error(_ status: Int, _ code: String) -> TestWebAnswer {
    .respond(status, "<Error><Code>\(code)</Code><Message>words</Message></Error>")
  }

  @Test func `a store that knows not the object, or has it, is fine`() async throws {
    let answers: [TestWebAnswer] = [
      Self.error(404, "NoSuchKey"), .respond(206, "x"), .respond(416),
      Self.error(403, "AccessDenied"),
    ]
    for answer in answers {
      let server = try await TestWebServer { _ in answer }
      try await bucket(server).check()
    }
  }

  @Test(arguments: [(404, "NoSuchBucket"), (403, "SignatureDoesNotMatch"), (301, "Moved")])
  func `an error that no job could go around is told`(status: Int, code: String) async throws {
    let server = try await TestWebServer { _ in Self.error(status, code) }
    let error = await #expect(throws: BucketError.self) { try await bucket(server).check() }
    #expect(error?.isRetryable == false)
    #expect(error?.answer?.serviceCode == code)
  }

  @Test func `a web server is not taken for a store that lacks an object`() async throws {
    let server = try await TestWebServer { _ in .respond(404, "<html>not here</html>") }
    let error = await #expect(throws: BucketError.self) { try await bucket(server).check() }
    #expect(error?.isRetryable == false)
    #expect(error?.description.contains("AWS_ENDPOINT_URL_S3") == true)
  }

  @Test func `a store that cannot be reached is told with what to look at`() async throws {
    var settings = S3Settings(bucket: "lab")
    settings.transfers.retryDeadline = .zero
    let port = try RefusingPort()
    let untrusted = try await TestWebServer(certificates: try await TestCertificates())
    let causes = [
      ("http://127.0.0.1:\(port.number)", "AWS_ENDPOINT_URL_S3", true),
      ("https://localhost:\(untrusted.port)", "STORAGE_CA_BUNDLE", false),
    ]
    for (endpoint, hint, isRetryable) in causes {
      settings.endpoint = endpoint
      let bucket = try S3Bucket(settings, credentials: FixedS3Credential(nil))
      let error = await #expect(throws: BucketError.self) { try await bucket.check() }
      #expect(error?.code == .network)
      #expect(error?.isRetryable == isRetryable)
      #expect(error?.description.contains(hint) == true)
      #expect(error?.description.contains(endpoint) == true)
    }
  }

  @Test func `presigned URLs need a credential, which is found out at the start`() async throws {
    let server = try await TestWebServer { _ in Self.error(404, "NoSuchKey") }
    let urls = ResultURLs(form: .presigned)
    let error = await #expect(throws: BucketError.self) {
      try await bucket(server, urls: urls).check()
    }
    #expect(error?.code == .credentials)
    #expect(error?.isRetryable == false)
    #expect(error?.description.contains("STORAGE_OUTPUT_URL") == true)
    #expect(error?.description.contains("AWS_ACCESS_KEY_ID") == true)
    #expect(server.requests.isEmpty)
    try await bucket(server, credential: S3Server.credential(), urls: urls).check()
    try await bucket(server).check()
  }

  @Test(arguments: [nil, 1000, 90_000]) func `that URLs end before their time is told once`(
    secondsLeft: Int?
  ) async throws {
    let log = RecordedLog()
    var settings = S3Settings(bucket: "lab")
    settings.urls = ResultURLs(form: .presigned)
    let credential = try AWSCredential(
      accessKeyID: "ASIA", secretAccessKey: Secret("secret"), sessionToken: Secret("token"),
      expiration: secondsLeft.map { WallClock.now() + $0 })
    let bucket = try S3Bucket(
      settings, credentials: FixedS3Credential(credential), logger: log.logger)
    _ = try await bucket.connection.credential()
    for _ in 0..<3 {
      #expect(bucket.url(for: try ObjectKey("a")).contains("X-Amz-Security-Token=token"))
    }
    #expect(log.count { $0.contains("storage_url_lifetime") } == (secondsLeft == 90_000 ? 0 : 1))
    #expect(!log.text.contains("secret") && !log.text.contains("token"))
  }

  @Test func `what is no file is not sent, and says so`() async throws {
    let folder = try TemporaryFolder()
    let server = try await TestWebServer { _ in .respond(200) }
    let bucket = try bucket(server)
    #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
    for (name, why) in [("", "it is no file"), ("pipe", "it is no file"), ("none", "No such")] {
      let error = await #expect(throws: BucketError.self) {
        try await bucket.upload(folder.url.appending(path: name))
      }
      #expect(error?.code == .localDisk)
      #expect(error?.description.contains(why) == true)
    }
    #expect(server.requests.isEmpty)
  }

  /// File, wished and real part in MiB; one byte more makes the parts larger.
  static let parts: [(file: Int, wanted: Int, part: Int, more: Int)] = [
    (1, 16, 16, 16), (1, 1, 5, 5), (16, 16, 16, 16), (50_000, 1, 5, 6), (160_000, 16, 16, 17),
    (160_000, 20, 20, 20), (5 << 20, 16, 525, 525), (100_000, 7, 10, 11),
  ]

  @Test(arguments: parts.indices) func `there are ten thousand parts at most`(index: Int) {
    let (file, wanted, part, more) = Self.parts[index]
    for (size, expected) in [(file << 20, part), ((file << 20) + 1, more)] {
      let real = MultipartUpload.partSize(for: size, wanted: wanted << 20)
      #expect(real == expected << 20)
      #expect((size + real - 1) / real <= MultipartUpload.partLimit)
    }
  }
}

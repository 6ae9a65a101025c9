import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Buckets
@testable import CurlClient

/// What is made of errors: what to do about them, and what to say.
@Suite struct S3FailureTests {
  private func connection(
    bucket: String = "lab", endpoint: String? = nil, region: String = "us-east-1",
    credentials: any S3CredentialSource = FixedS3Credential(nil)
  ) throws -> S3Connection {
    var settings = S3Settings(bucket: bucket)
    settings.endpoint = endpoint
    settings.region = region
    return try S3Bucket(settings, credentials: credentials, now: { 1_000_000_000 }).connection
  }

  private func attempt(
    _ connection: S3Connection, _ action: S3Failures.Action = .read,
    to host: String = "s3.amazonaws.com",
    credential: AWSCredential? = nil
  ) throws -> S3Connection.Attempt {
    S3Connection.Attempt(
      request: HTTPRequest("GET", try HTTPURL("https://\(host)/")), action: action,
      key: try ObjectKey("uploads/a.tif"), region: connection.region, credential: credential,
      server: "https://s3.amazonaws.com:443")
  }

  private func response(
    _ status: Int, _ code: String? = nil, message: String = "words", more: String = "",
    fields: [HTTPField] = [], namespace: String = ""
  ) -> S3Response {
    let document = code.map {
      "<?xml version=\"1.0\"?><Error\(namespace)><Code>\($0)</Code><Message>\(message)</Message>"
        + "\(more)<RequestId>R1</RequestId></Error>"
    }
    return S3Response(
      HTTPHead(status: status, fields: fields), body: Array((document ?? "").utf8))
  }

  @Test(arguments: [
    "RequestTimeout", "InternalError", "ServiceUnavailable", "SlowDown", "Throttling",
    "ThrottlingException", "TooManyRequests", "RequestLimitExceeded", "BandwidthLimitExceeded",
    "PriorRequestNotComplete", "OperationAborted",
  ])
  func `an error that passes is tried again`(code: String) async throws {
    let connection = try connection()
    let failed = try await connection.failure(
      response(400, code, fields: [HTTPField("Retry-After", "7")]), of: attempt(connection))
    guard case .later(let least) = failed.retry else {
      Issue.record("\(failed.retry)")
      return
    }
    #expect(least == .seconds(7))
    #expect(failed.error.isRetryable)
    #expect(failed.error.answer?.serviceCode == code)
    #expect(failed.error.answer?.requestID == "R1")
  }

  @Test(arguments: [
    ("AccessDenied", 403, BucketError.Code.accessDenied),
    ("SignatureDoesNotMatch", 403, .credentials), ("InvalidAccessKeyId", 403, .credentials),
    ("NoSuchKey", 404, .notFound), ("NoSuchBucket", 404, .server),
    ("NoSuchUpload", 404, .server), ("InvalidPart", 400, .server),
    ("EntityTooSmall", 400, .server), ("EntityTooLarge", 400, .tooLarge),
    ("NotImplemented", 501, .server), ("MethodNotAllowed", 405, .server),
    ("InvalidRequest", 400, .invalidRequest), ("KeyTooLongError", 400, .invalidRequest),
    ("AllAccessDisabled", 403, .accessDenied), ("QuotaExceeded", 403, .server),
    ("AccountProblem", 403, .accessDenied), ("SomethingNew", 400, .invalidRequest),
  ])
  func `an error that stays is final`(
    code: String, status: Int, meaning: BucketError.Code
  ) async throws {
    let connection = try connection()
    for namespace in ["", " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""] {
      let failed = try await connection.failure(
        response(status, code, namespace: namespace), of: attempt(connection))
      guard case .never = failed.retry else {
        Issue.record("\(failed.retry)")
        return
      }
      #expect(failed.error.code == meaning)
      #expect(!failed.error.isRetryable)
    }
  }

  @Test(arguments: [
    (408, true), (429, true), (500, true), (502, true), (503, true), (504, true), (400, false),
    (401, false), (403, false), (404, false), (405, false), (412, false), (501, false),
  ])
  func `without a document the status decides`(status: Int, isRetried: Bool) async throws {
    let connection = try connection()
    for body in ["", "<html><body>sorry</body></html>", "<Error><Code>", "\u{0}"] {
      let failed = try await connection.failure(
        S3Response(HTTPHead(status: status, fields: []), body: Array(body.utf8)),
        of: attempt(connection))
      if case .later = failed.retry { #expect(isRetried) } else { #expect(!isRetried) }
      #expect(failed.error.isRetryable == isRetried)
    }
  }

  @Test func `a bucket elsewhere is asked there, once it is known where`() async throws {
    for answer in [
      response(301, "PermanentRedirect", fields: [HTTPField("x-amz-bucket-region", "eu-west-1")]),
      response(400, "AuthorizationHeaderMalformed", more: "<Region>eu-west-1</Region>"),
      response(301, fields: [HTTPField("x-amz-bucket-region", "eu-west-1")]),
    ] {
      let connection = try connection()
      let failed = try await connection.failure(answer, of: attempt(connection))
      guard case .once(.address) = failed.retry else {
        Issue.record("\(failed.retry)")
        return
      }
      #expect(connection.endpoint.host == "lab.s3.eu-west-1.amazonaws.com")
      // The same answer from there is the last one.
      let again = try await connection.failure(answer, of: attempt(connection))
      if case .never = again.retry {} else { Issue.record("\(again.retry)") }
      #expect(again.error.description.contains("AWS_REGION") || again.error.code != .server)
    }
  }

  @Test(arguments: ["x.evil.example/", "EU", "", "a b"])
  func `what is not a region's name leads nowhere`(region: String) async throws {
    let connection = try connection()
    let failed = try await connection.failure(
      response(301, "PermanentRedirect", fields: [HTTPField("x-amz-bucket-region", region)]),
      of: attempt(connection))
    if case .never = failed.retry {} else { Issue.record("\(failed.retry)") }
    #expect(connection.endpoint.host == "lab.s3.us-east-1.amazonaws.com")
  }

  @Test func `another server cannot send us to another place`() async throws {
    let connection = try connection(endpoint: "http://127.0.0.1:9000")
    let fields = [
      HTTPField("x-amz-bucket-region", "eu-west-1"),
      HTTPField("Location", "https://lab.s3.eu-west-1.amazonaws.com/a"),
    ]
    for status in [301, 302, 307, 308] {
      let failed = try await connection.failure(
        response(status, "TemporaryRedirect", fields: fields), of: attempt(connection))
      if case .never = failed.retry {} else { Issue.record("\(failed.retry)") }
    }
    #expect(connection.endpoint.host == "127.0.0.1:9000")
    // The region to sign for is its own affair.
    let failed = try await connection.failure(
      response(400, "AuthorizationHeaderMalformed", more: "<Region>lab-1</Region>"),
      of: attempt(connection))
    if case .once(.address) = failed.retry {} else { Issue.record("\(failed.retry)") }
    #expect(connection.region == "lab-1")
    #expect(connection.endpoint.host == "127.0.0.1:9000")
  }

  @Test(arguments: [
    ("https://lab.s3.eu-west-2.amazonaws.com/uploads/a.tif", true),
    ("https://lab.s3-fips.dualstack.eu-west-2.amazonaws.com/", true),
    ("https://s3.eu-west-2.amazonaws.com/lab/uploads/a.tif", true),
    ("https://other.s3.eu-west-2.amazonaws.com/uploads/a.tif", false),
    ("https://lab.s3.amazonaws.com.evil.example/", false),
    ("https://ec2-203-0-113-7.compute.amazonaws.com/", false),
    ("https://s3-evil.eu-west-2.elb.amazonaws.com/", false),
    ("http://lab.s3.eu-west-2.amazonaws.com/", false),
    ("https://evil.example/s3.amazonaws.com", false), ("/here", false),
  ])
  func `a temporary redirect is followed within the service`(
    location: String, isFollowed: Bool
  ) async throws {
    for bucket in ["lab", "lab.images"] {
      let connection = try connection(bucket: bucket)
      let before = connection.endpoint
      let location = location.replacing("lab", with: bucket)
      let redirect = response(
        307, "TemporaryRedirect", fields: [HTTPField("Location", location)])
      // Two requests that were under way together.
      for _ in 0..<2 {
        let failed = try await connection.failure(redirect, of: attempt(connection))
        if case .once(.address) = failed.retry { #expect(isFollowed) } else { #expect(!isFollowed) }
      }
      guard isFollowed else {
        #expect(connection.endpoint == before)
        continue
      }
      // A name with a dot does not go into the host, wherever the store has it.
      let service = try HTTPURL(location).host.replacing("\(bucket).", with: "")
      let endpoint = connection.endpoint
      #expect(endpoint.host == (bucket == "lab" ? "lab.\(service)" : service))
      #expect(endpoint.prefix == (bucket == "lab" ? "" : "/lab.images"))
      let again = try await connection.failure(
        redirect, of: attempt(connection, to: endpoint.host))
      if case .never = again.retry {} else { Issue.record("\(again.retry)") }
    }
  }

  @Test func `an expired credential is replaced`() async throws {
    let old = try AWSCredential(accessKeyID: "OLD", secretAccessKey: Secret("old-secret"))
    let new = try AWSCredential(accessKeyID: "NEW", secretAccessKey: Secret("new-secret"))
    let source = RenewedCredential(old, new)
    let connection = try connection(credentials: source)
    for code in ["ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"] {
      let failed = try await connection.failure(
        response(400, code), of: attempt(connection, credential: old))
      if case .once(.credential) = failed.retry {} else { Issue.record("\(failed.retry)") }
      #expect(connection.lastCredential == new)
      #expect(failed.error.code == .credentials)
    }
    #expect(source.refused.withLock { $0 } == [old, old, old, old])
  }

  @Test func `messages have neither queries nor line breaks`() async throws {
    let connection = try connection()
    let failed = try await connection.failure(
      response(
        400, "InvalidArgument",
        message: "bad\nURL https://x/y?X-Amz-Signature=SECRET&amp;a=SECRET \u{9} "
          + String(repeating: "long ", count: 100)),
      of: attempt(connection))
    let text = failed.error.description
    #expect(text.contains("bad URL https://x/y"))
    #expect(!text.contains("SECRET"))
    #expect(!text.contains("\n"))
    #expect(text.count < 500)
  }

  @Test func `a server that does not know the checksum is named with the setting`() async throws {
    let connection = try connection(endpoint: "http://127.0.0.1:9000")
    for (status, code) in [(501, "NotImplemented"), (400, "InvalidArgument")] {
      let failed = try await connection.failure(
        response(status, code, message: "x-amz-checksum-crc32 is not implemented"),
        of: attempt(connection, .write))
      #expect(failed.error.description.contains("STORAGE_S3_CHECKSUM"))
    }
    // That it found damage shows that it does.
    let damaged = try await connection.failure(
      response(400, "BadDigest", message: "The Content-MD5 you specified did not match"),
      of: attempt(connection, .write))
    #expect(damaged.error.code == .checksum)
    #expect(!damaged.error.description.contains("STORAGE_S3_CHECKSUM"))
  }
}

/// Has a new credential for whoever asks.
private final class RenewedCredential: S3CredentialSource {
  let source = "test"
  let refused = Mutex<[AWSCredential]>([])
  private let old: AWSCredential
  private let new: AWSCredential

  init(_ old: AWSCredential, _ new: AWSCredential) { (self.old, self.new) = (old, new) }

  func current() -> AWSCredential? { old }

  func refresh(insteadOf refused: AWSCredential) -> AWSCredential? {
    self.refused.withLock { $0.append(refused) }
    return new
  }
}

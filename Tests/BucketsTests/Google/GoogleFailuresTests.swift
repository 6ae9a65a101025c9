import TestSupport
import Testing

@testable import Buckets
@testable import CurlClient

@Suite struct GoogleFailuresTests {
  private let failures = GoogleFailures(
    bucket: "lab", server: "https://storage.googleapis.com:443", account: "service account a@b")

  private func failed(
    _ status: Int, _ message: String = "", reason: String = "x",
    _ action: GoogleFailures.Action = .read, key: String = "output/a.zip",
    session: String? = nil
  ) throws -> FailedTry {
    failures.failedTry(
      HTTPHead(status: status, fields: [HTTPField("X-GUploader-UploadID", "id-1")]),
      Array(GoogleFakeError.json(status, reason, message).utf8), action, try ObjectKey(key),
      session: try session.map { try HTTPURL($0) })
  }

  @Test(arguments: [
    (400, BucketError.Code.invalidRequest), (401, .credentials), (403, .accessDenied),
    (404, .notFound), (409, .invalidRequest), (412, .invalidRequest), (413, .tooLarge),
    (501, .server), (308, .server),
  ])
  func `what will not change is final`(status: Int, code: BucketError.Code) throws {
    let failed = try failed(status)
    #expect(failed.error.code == code && !failed.error.isRetryable)
    #expect("\(failed.retry)" == "never")
  }

  @Test(arguments: [408, 429, 500, 502, 503, 504])
  func `what may pass is tried again`(status: Int) throws {
    let failed = try failed(status)
    #expect(failed.error.isRetryable)
    #expect(failed.error.code == (status == 429 ? .throttled : .server))
    #expect("\(failed.retry)".hasPrefix("later"))
  }

  /// Whether the upload is to be repeated without a public ACL.
  private func isLeftOut(
    _ status: Int, _ message: String, _ action: GoogleFailures.Action, key: String = "output/a.zip"
  ) throws -> Bool {
    if case .once(.option) = try failed(status, message, action, key: key).retry {
      true
    } else {
      false
    }
  }

  @Test func `only words of the store are about the ACL, not those of a key`() throws {
    let asked = GoogleFailures.Action.write(hasOptionalACL: true)
    let missing = "worker does not have storage.objects.setIamPolicy access"
    #expect(try isLeftOut(403, missing, asked))
    #expect(try isLeftOut(403, "Request had insufficient authentication scopes.", asked))
    #expect(try isLeftOut(412, "public access prevention is enforced", asked))
    #expect(try !isLeftOut(403, missing, .write(hasOptionalACL: false)))
    #expect(try !isLeftOut(403, "no storage.objects.create", asked, key: "output/microscope.zip"))
    #expect(try !isLeftOut(400, "Provided CRC32C doesn't match calculated CRC32C", asked))
    #expect(try !isLeftOut(503, missing, asked))
  }

  @Test func `a bucket that is missing is no missing object`() throws {
    let text = "The specified bucket does not exist."
    for failed in [
      try failed(404, text), try failed(404, text, .remove),
      try failed(404, "Not Found", .write(hasOptionalACL: false)),
    ] {
      #expect(failed.error.code == .server && !failed.error.isRetryable)
      #expect(failed.error.reason == "the bucket lab does not exist; check STORAGE_BUCKET")
    }
    #expect(try failed(404, "No such object", key: "the bucket x").error.code == .notFound)
  }

  @Test func `a session shows neither in the words of the store nor as a request`() throws {
    let secret = "ABPnzm5XpSecretSession"
    let failed = try failed(
      400, "upload \(secret) is broken",
      session: "https://storage.googleapis.com/upload?uploadType=resumable&upload_id=\(secret)")
    #expect(failed.error.reason.contains("upload *** is broken"))
    #expect(failed.error.answer?.requestID == nil)
    #expect(try self.failed(400, "x").error.answer?.requestID == "id-1")
  }

  @Test func `too many requests are no lack of rights`() throws {
    for reason in ["rateLimitExceeded", "userRateLimitExceeded"] {
      let failed = try failed(403, "slow down", reason: reason)
      #expect(failed.error.code == .throttled && failed.error.isRetryable)
    }
  }
}

import Foundation
import TestSupport
import Testing

@testable import Buckets

/// Credentials as a bucket uses them.
@Suite struct S3BucketCredentialTests {
  private let harness: CredentialHarness

  init() throws { harness = try CredentialHarness() }

  /// A store that takes one access key, and refuses others as expired.
  private func store(taking id: String) async throws -> TestWebServer {
    try await TestWebServer { request in
      guard request.fields["authorization"]?.contains("Credential=\(id)/") == true,
        request.fields["x-amz-security-token"] == CredentialHarness.sessionToken
      else {
        return .respond(
          400, "<Error><Code>ExpiredToken</Code><Message>The token has expired.</Message></Error>")
      }
      return .respond(200, "pixels")
    }
  }

  private func bucket(_ store: TestWebServer, _ credentials: AWSCredentials) throws -> S3Bucket {
    var settings = S3Settings(bucket: "images")
    settings.endpoint = store.url("")
    return try S3Bucket(settings, credentials: credentials, logger: CredentialHarness.quiet)
  }

  private func download(_ name: String, from bucket: S3Bucket) async throws -> String {
    let file = try await bucket.download(
      ObjectKey("uploads/\(name)"), into: URL(filePath: harness.folder.path), limit: 1000
    ) { _ in }
    return try String(contentsOf: file, encoding: .utf8)
  }

  @Test func `many requests that are refused as expired renew the credential once`() async throws {
    let answers = Answers([
      .respond(200, harness.json(id: "OLD")), .respond(200, harness.json(id: "NEW")),
    ])
    let agent = try await TestWebServer { _ in answers.next() }
    let store = try await store(taking: "NEW")
    let credentials = try harness.credentials(["AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.url()])
    #expect(try await credentials.current()?.accessKeyID == "OLD")
    harness.time.advance(by: 60)

    let bucket = try bucket(store, credentials)
    try await withThrowingTaskGroup { group in
      for number in 0..<20 {
        group.addTask {
          let text = try await download("\(number).tif", from: bucket)
          #expect(text == "pixels")
        }
      }
      try await group.waitForAll()
    }
    #expect(agent.requests.count == 2)
    #expect(credentials.source.hasPrefix("the container's role"))
  }

  @Test func `a service that keeps silent does not keep a program from telling what is known`()
    async throws
  {
    let agent = try await TestWebServer { _ in .silence }
    let store = try await store(taking: "NEW")
    let credentials = try harness.credentials(["AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.url()])
    let facts = try await bucket(store, credentials).facts()
    #expect(facts.details.last == .init("credential", "not known yet"))
    #expect(store.requests.isEmpty)
  }

  @Test func `a credential that stays expired fails with its source and without its secrets`()
    async throws
  {
    let answer = harness.json(id: "OLD")
    let agent = try await TestWebServer { _ in .respond(200, answer) }
    let store = try await store(taking: "NEW")
    let credentials = try harness.credentials(["AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.url()])
    let bucket = try bucket(store, credentials)
    let error = try await harness.failure {
      _ = try await download("a.tif", from: bucket)
      return nil
    }
    #expect(error.answer?.serviceCode == "ExpiredToken")
    #expect("\(error)".contains("the container's role"))
    #expect(store.requests.count == 2)
  }
}

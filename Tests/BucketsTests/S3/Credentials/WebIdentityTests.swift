import Glibc
import TestSupport
import Testing

@testable import Buckets

@Suite struct WebIdentityTests {
  private let harness: CredentialHarness
  private let tokenFile: String

  private static let role = "arn:aws:iam::123456789012:role/a+b"

  init() throws {
    harness = try CredentialHarness()
    tokenFile = try harness.write(CredentialHarness.identityToken + "\n", to: "token")
  }

  private func credentials(
    _ server: TestWebServer, _ variables: [String: String] = [:]
  ) throws -> AWSCredentials {
    try harness.credentials(
      [
        "AWS_ROLE_ARN": Self.role, "AWS_WEB_IDENTITY_TOKEN_FILE": tokenFile,
        "AWS_ENDPOINT_URL_STS": server.url(),
      ].merging(variables) { $1 })
  }

  @Test func `a role is taken on with the token in the file`() async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.xml()))
    let credentials = try credentials(server, ["AWS_ROLE_SESSION_NAME": "pod"])
    let credential = try #require(try await credentials.current())
    #expect(credential.accessKeyID == "AKIDEXAMPLE")
    #expect(credential.secretAccessKey.revealed == CredentialHarness.secretKey)
    #expect(credential.sessionToken?.revealed == CredentialHarness.sessionToken)
    #expect(credentials.source == "role \(Self.role) by web identity \(tokenFile)")

    let request = try #require(server.requests.first)
    #expect(request.method == "POST")
    #expect(request.target == "/")
    #expect(request.fields["content-type"] == "application/x-www-form-urlencoded")
    #expect(request.fields["authorization"] == nil)
    #expect(
      formFields(request.body) == [
        "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": Self.role,
        "RoleSessionName": "pod", "WebIdentityToken": CredentialHarness.identityToken,
      ])
  }

  @Test func `a profile may name the role`() async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.xml()))
    try harness.write(
      "[default]\nrole_arn = \(Self.role)\nweb_identity_token_file = \(tokenFile)\n",
      to: ".aws/config")
    let credentials = try harness.credentials(["AWS_ENDPOINT_URL_STS": server.url()])
    #expect(try await credentials.current()?.accessKeyID == "AKIDEXAMPLE")
    let named = try harness.credentials([
      "AWS_ENDPOINT_URL_STS": server.url(), "AWS_ROLE_SESSION_NAME": "pod",
    ])
    #expect(try await named.current()?.accessKeyID == "AKIDEXAMPLE")
    #expect(
      server.requests.map { formFields($0.body)["RoleSessionName"] } == [
        "redis-consumer-1800000000", "pod",
      ])
  }

  @Test(arguments: [
    ("http://sts.lab.example:4566", "false", 1), ("http://sts.lab.example:4566", "true", 0),
    ("https://sts.lab.example", "false", 0), ("http://127.0.0.1:4566", "false", 0),
    ("", "false", 0),
  ]) func `a token service without TLS is warned of`(
    endpoint: String, ignored: String, count: Int
  ) async throws {
    let credentials = try harness.credentials([
      "AWS_ENDPOINT_URL_STS": endpoint, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": ignored,
      "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": CredentialHarness.secretKey,
    ])
    let bucket = try S3Bucket(S3Settings(bucket: "images"), credentials: credentials)
    let warnings = await bucket.facts().warnings
    #expect(warnings.count { $0.contains("AWS_ENDPOINT_URL_STS") } == count)
  }

  @Test func `the token is read anew for each renewal`() async throws {
    let server = try await TestWebServer.answering(
      .respond(200, harness.xml()), .respond(200, harness.xml(id: "SECOND", lifetime: 7200)))
    let credentials = try credentials(server)
    let old = try #require(try await credentials.current())
    try harness.write("replaced", to: "token")
    harness.time.advance(by: 3600 - 300)
    #expect(try await credentials.current() == old)
    try await eventually("it is renewed") { try await credentials.current() != old }
    #expect(try await credentials.current()?.accessKeyID == "SECOND")
    #expect(
      server.requests.map { formFields($0.body)["WebIdentityToken"] } == [
        CredentialHarness.identityToken, "replaced",
      ])
  }

  @Test func `a thousand at once make one request`() async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.xml()))
    let credentials = try credentials(server)
    try await withThrowingTaskGroup { group in
      for _ in 0..<1000 {
        group.addTask {
          let credential = try await credentials.current()
          #expect(credential?.accessKeyID == "AKIDEXAMPLE")
        }
      }
      try await group.waitForAll()
    }
    #expect(server.requests.count == 1)
  }

  @Test(
    arguments: [
      .respond(
        400, "<ErrorResponse><Error><Code>IDPCommunicationError</Code></Error></ErrorResponse>"),
      .respond(500, ""), .respond(503, "<html>"), .respond(429, "slow down"), .reset,
      .breakOff(200, body: Array("<Assume".utf8)),
    ] as [TestWebAnswer])
  func `what passes is tried again`(trouble: TestWebAnswer) async throws {
    let server = try await TestWebServer.answering(trouble, trouble, .respond(200, harness.xml()))
    #expect(try await credentials(server).current()?.accessKeyID == "AKIDEXAMPLE")
    #expect(server.requests.count >= 3)
    #expect(harness.clock.sleeps.count == 2)
  }

  @Test func `trouble without end is an error that may pass`() async throws {
    let server = try await TestWebServer.answering(.respond(503, ""))
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.isRetryable)
    #expect(error.answer?.status == 503)
    #expect(error.tries == 5)
    #expect(server.requests.count == 5)
    #expect(
      zip(harness.clock.sleeps, [100, 200, 400, 800]).allSatisfy { pause, longest in
        pause <= .milliseconds(longest) && pause >= .milliseconds(longest / 2)
      })
  }

  @Test func `a refusal is final and tells the reason`() async throws {
    let server = try await TestWebServer.answering(
      .respond(
        403,
        """
        <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
        <Code>AccessDenied</Code>
        <Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error>
        <RequestId>1</RequestId></ErrorResponse>
        """))
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(!error.isRetryable)
    #expect(error.answer?.serviceCode == "AccessDenied")
    #expect(error.reason.contains("Not authorized to perform sts:AssumeRoleWithWebIdentity"))
    #expect(server.requests.count == 1)
  }

  @Test func `the service's words do not carry secrets on`() async throws {
    let part = CredentialHarness.identityToken.dropFirst(5).prefix(20)
    let server = try await TestWebServer.answering(
      .respond(
        400,
        "<E><Code>\(CredentialHarness.identityToken)</Code>"
          + "<Message>token '\(CredentialHarness.identityToken)', \(part)! is &#27;[31m bad</Message></E>"
      ))
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(!"\(error)".contains(part))
    #expect(error.reason.hasSuffix("token *** *** is bad"))
    #expect(error.answer?.serviceCode == "***")
  }

  private static let malformed: [(answer: String, word: String)] = [
    ("", "XML"), ("{}", "XML"), ("<a>", "XML"), ("<a/>", "AccessKeyId"),
  ]

  @Test(arguments: malformed)
  func `an answer that is none is an error`(answer: String, word: String) async throws {
    let server = try await TestWebServer.answering(.respond(200, answer))
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.contains(word))
    #expect(server.requests.count == 1)
  }

  @Test(
    arguments: [
      ("AccessKeyId", nil), ("SecretAccessKey", nil), ("SessionToken", nil), ("Expiration", nil),
      ("AccessKeyId", ""), ("SecretAccessKey", ""), ("Expiration", "soon"),
      ("Expiration", "2027-13-45T99:00:00Z"), ("AccessKeyId", "a\r\nX-Evil: b"),
      ("SecretAccessKey", "a b"), ("SessionToken", "a&#13;&#10;X-Evil: b"),
    ] as [(String, String?)])
  func `a credential without a part or with a wrong one is refused`(
    name: String, value: String?
  ) async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.xml([name: value])))
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(!error.isRetryable)
    #expect(!"\(error)".contains("Evil"))
  }

  @Test func `a credential that has ended is refused`() async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.xml(lifetime: -10)))
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.contains("10 s ago"))
    #expect(error.reason.contains("clock"))
  }

  @Test(
    arguments: [.flood(200), .respond(200, body: Array(repeating: 32, count: 65537))]
      as [TestWebAnswer])
  func `a huge answer is refused`(answer: TestWebAnswer) async throws {
    let server = try await TestWebServer.answering(answer)
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(!error.isRetryable)
    #expect(server.requests.count == 1)
  }

  @Test func `a redirect is not followed`() async throws {
    let other = try await TestWebServer.answering(.respond(200, harness.xml()))
    let server = try await TestWebServer.answering(.respond(307, fields: ["location": other.url()]))
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.answer?.status == 307)
    #expect(other.requests.isEmpty)
  }

  @Test(arguments: ["", "\n", "a b", "a\r\nb", "a\u{1}", "é", String(repeating: "a", count: 65537)])
  func `a file without one token is an error`(text: String) async throws {
    try harness.write(text, to: "token")
    let server = try await TestWebServer.answering(.respond(200, harness.xml()))
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.contains(tokenFile))
    #expect(server.requests.isEmpty)
  }

  @Test func `a pipe without a writer is not waited for`() async throws {
    let pipe = harness.folder.file("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    let server = try await TestWebServer.answering(.respond(200, harness.xml()))
    let credentials = try credentials(server, ["AWS_WEB_IDENTITY_TOKEN_FILE": pipe])
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.contains(pipe))
  }

  @Test func `a file that is missing is an error and not skipped`() async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.xml()))
    let credentials = try credentials(
      server, ["AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token", "AWS_NO_SIGN_REQUEST": "true"])
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.contains("/nowhere/token"))
  }

  @Test(arguments: ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"])
  func `half of the settings are an error`(missing: String) async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.xml()))
    let credentials = try credentials(server, [missing: "", "AWS_NO_SIGN_REQUEST": "true"])
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.contains("without \(missing)"))
  }
}

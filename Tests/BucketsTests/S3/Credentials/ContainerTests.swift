import TestSupport
import Testing

@testable import Buckets

@Suite struct ContainerTests {
  private let harness: CredentialHarness

  init() throws { harness = try CredentialHarness() }

  private func credentials(
    _ server: TestWebServer, _ variables: [String: String] = [:]
  ) throws -> AWSCredentials {
    try harness.credentials(
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url("/v1/credentials")]
        .merging(variables) { $1 })
  }

  private func link(_ variables: [String: String], agent: String) throws -> ContainerLink {
    ContainerLink(
      settings: try harness.settings(variables), agentURL: agent, service: harness.service(),
      now: { [time = harness.time] in time.now })
  }

  @Test func `the agent at a full address is asked`() async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.json()))
    let credentials = try credentials(server)
    let credential = try #require(try await credentials.current())
    #expect(credential.accessKeyID == "AKIDEXAMPLE")
    #expect(credential.secretAccessKey.revealed == CredentialHarness.secretKey)
    #expect(credential.sessionToken?.revealed == CredentialHarness.sessionToken)
    #expect(credentials.source == "the container's role by http://127.0.0.1:\(server.port)")
    let request = try #require(server.requests.first)
    #expect(request.method == "GET")
    #expect(request.target == "/v1/credentials")
    #expect(request.fields.keys.sorted() == ["accept", "host", "user-agent"])
  }

  @Test func `a relative address is the agent's, and counts before a full one`() async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.json()))
    let link = try link(
      [
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/abc",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
      ], agent: server.url(""))
    #expect(try await link.find().credential.accessKeyID == "AKIDEXAMPLE")
    #expect(server.requests.map(\.target) == ["/v2/credentials/abc"])
    #expect(ContainerLink.agentURL == "http://169.254.170.2")
  }

  @Test(arguments: ["@evil.example/", "evil", ".evil.example/", ":1@evil.example/"])
  func `a relative address cannot name a host`(path: String) async throws {
    let credentials = try harness.credentials(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path])
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.contains("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"))
  }

  @Test(arguments: [
    "http://evil.example/", "http://169.254.170.3/", "http://169.254.169.254/", "http://10.0.0.1/",
    "http://127.0.0.1@evil.example/", "http://127.0.0.1.evil.example/", "http://[fd00:ec2::24]/",
    "http://localhost.evil.example/", "ftp://127.0.0.1/", "/relative", "", " ", "http://",
  ])
  func `without TLS only this machine and the agents are asked`(address: String) async throws {
    let link = try link(["AWS_CONTAINER_CREDENTIALS_FULL_URI": address], agent: "")
    if address.isEmpty {
      await #expect(throws: LinkAbsent.self) { try await link.find() }
    } else {
      let error = await #expect(throws: BucketError.self) { try await link.find() }
      #expect(error?.reason.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI") == true)
    }
  }

  @Test(arguments: ["127.0.0.1", "localhost", "127.0.0.2"])
  func `this machine may be asked without TLS`(host: String) async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.json()))
    let link = try link(
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url("/", host: host)], agent: "")
    // The server listens at one of the addresses only; it matters that the others are tried.
    do { _ = try await link.find() } catch let error as BucketError {
      #expect(host == "127.0.0.2")
      #expect(error.reason.contains("cannot be asked"))
    }
  }

  @Test func `the token in the file goes along, read anew each time`() async throws {
    let server = try await TestWebServer.answering(
      .respond(200, harness.json()), .respond(200, harness.json(id: "SECOND")))
    let file = try harness.write(CredentialHarness.authorization, to: "authorization")
    let credentials = try credentials(
      server,
      [
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "not this one",
      ])
    let old = try #require(try await credentials.current())
    try harness.write("Bearer replaced", to: "authorization")
    harness.time.advance(by: 60)
    #expect(try await credentials.refresh(insteadOf: old)?.accessKeyID == "SECOND")
    #expect(
      server.requests.map { $0.fields["authorization"] } == [
        CredentialHarness.authorization, "Bearer replaced",
      ])
  }

  @Test func `the token in the variable goes along`() async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.json()))
    let credentials = try credentials(
      server, ["AWS_CONTAINER_AUTHORIZATION_TOKEN": CredentialHarness.authorization])
    _ = try await credentials.current()
    #expect(server.requests.first?.fields["authorization"] == CredentialHarness.authorization)
  }

  @Test(arguments: ["\r\nX-Evil: 1", "\n", "\r", "\0", "é"], [true, false])
  func `a token that would break the header is refused`(end: String, isFile: Bool) async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.json()))
    let token = CredentialHarness.authorization + end
    let name = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
    let credentials = try credentials(
      server,
      isFile ? ["\(name)_FILE": try harness.write(token, to: "authorization")] : [name: token])
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.contains(isFile ? harness.folder.file("authorization") : name))
    #expect(server.requests.isEmpty)
  }

  @Test func `a token's file that is missing is an error`() async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.json()))
    let credentials = try credentials(
      server, ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere/token"])
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.contains("/nowhere/token"))
  }

  @Test func `a refusal tells the agent's words without the token`() async throws {
    let server = try await TestWebServer.answering(
      .respond(
        401, #"{"code": "Unauthorized", "message": "no \#(CredentialHarness.authorization) here"}"#)
    )
    let credentials = try credentials(
      server, ["AWS_CONTAINER_AUTHORIZATION_TOKEN": CredentialHarness.authorization])
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.answer?.status == 401)
    #expect(error.answer?.serviceCode == "Unauthorized")
    #expect(error.reason.hasSuffix("no *** here"))
    #expect(server.requests.count == 1)
  }

  @Test func `an agent in trouble is asked again`() async throws {
    let server = try await TestWebServer.answering(
      .respond(500, ""), .reset, .respond(200, harness.json()))
    #expect(try await credentials(server).current()?.accessKeyID == "AKIDEXAMPLE")
  }

  @Test(arguments: [
    "", "null", "[]", "\"text\"", "<html>", "{", #"{"AccessKeyId": 1}"#,
    String(repeating: "[", count: 60_000), "{\"a\":" + String(repeating: "[", count: 60_000),
    "{\"AccessKeyId\": \"\(CredentialHarness.secretKey)",
  ])
  func `an answer that is no credential is an error`(answer: String) async throws {
    let server = try await TestWebServer.answering(.respond(200, answer))
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(!error.isRetryable)
    #expect(error.reason.contains("cannot be used"))
  }

  @Test(
    arguments: [
      ("AccessKeyId", nil), ("SecretAccessKey", nil), ("Token", nil), ("Expiration", nil),
      ("Token", ""), ("Token", "a\\r\\nX-Evil: b"), ("AccessKeyId", "a\\u0000"),
      ("Expiration", "1800003600"), ("Expiration", "2000-01-01T00:00:00Z"),
    ] as [(String, String?)])
  func `a credential without a part or with a wrong one is refused`(
    name: String, value: String?
  ) async throws {
    let server = try await TestWebServer.answering(.respond(200, harness.json([name: value])))
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.code == .credentials)
    #expect(!"\(error)".contains("Evil"))
  }

  @Test(arguments: [
    "2027-01-15T09:00:00Z", "2027-01-15T09:00:00.123Z", "2027-01-15T10:30:00+01:30",
    "2027-01-15T09:00:00+00:00",
  ])
  func `times are read in all forms`(text: String) {
    #expect(AWSCredential.seconds(text) == 1_800_003_600)
  }
}

import Synchronization
import TestSupport
import Testing

@testable import Buckets

@Suite struct InstanceTests {
  private let harness: CredentialHarness

  init() throws { harness = try CredentialHarness() }

  private static let roles = "/latest/meta-data/iam/security-credentials/"

  /// The service, with changes by path.
  private func server(_ changes: [String: Answers] = [:]) async throws -> TestWebServer {
    let json = harness.json(["Code": "Success", "Type": "AWS-HMAC"])
    return try await TestWebServer { request in
      if let answers = changes[request.target] { return answers.next() }
      switch (request.method, request.target) {
      case ("PUT", "/latest/api/token"): return .respond(200, CredentialHarness.instanceToken)
      case ("GET", _)
      where request.fields["x-aws-ec2-metadata-token"] != CredentialHarness.instanceToken:
        return .respond(401, "")
      case ("GET", Self.roles): return .respond(200, "consumer\n")
      case ("GET", Self.roles + "consumer"): return .respond(200, json)
      default: return .respond(404, "")
      }
    }
  }

  private func credentials(
    _ server: TestWebServer, _ variables: [String: String] = [:]
  ) throws -> AWSCredentials {
    try harness.credentials(
      [
        "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url(),
      ].merging(variables) { $1 })
  }

  /// The link as it is where nobody named the service.
  private func link(_ baseURL: String, timeout: Duration = .seconds(10)) throws -> InstanceLink {
    InstanceLink(
      settings: try harness.settings(["AWS_EC2_METADATA_DISABLED": "false"]), baseURL: baseURL,
      service: harness.service(), timeout: timeout, now: { [time = harness.time] in time.now })
  }

  @Test func `the role's credential is got with a token`() async throws {
    let server = try await server()
    let credentials = try credentials(server)
    let credential = try #require(try await credentials.current())
    #expect(credential.accessKeyID == "AKIDEXAMPLE")
    #expect(credential.sessionToken?.revealed == CredentialHarness.sessionToken)
    #expect(credentials.source == "the instance's role consumer")
    let requests = server.requests
    #expect(requests.map(\.method) == ["PUT", "GET", "GET"])
    #expect(
      requests.map(\.target) == ["/latest/api/token", Self.roles, Self.roles + "consumer"])
    #expect(requests[0].fields["x-aws-ec2-metadata-token-ttl-seconds"] == "21600")
    #expect(requests[0].body.isEmpty)
    #expect(
      requests[1].fields.keys.sorted() == [
        "accept", "host", "user-agent", "x-aws-ec2-metadata-token",
      ])
    #expect(InstanceLink.standardURL == "http://169.254.169.254")
  }

  @Test func `the token is kept until it is refused`() async throws {
    let server = try await server([
      Self.roles: Answers([
        .respond(200, "consumer"), .respond(200, "consumer"), .respond(401, ""),
        .respond(200, "consumer"),
      ])
    ])
    let credentials = try credentials(server)
    for _ in 0..<3 {
      let old = try #require(try await credentials.current())
      harness.time.advance(by: 10)
      _ = try await credentials.refresh(insteadOf: old)
    }
    // Four times a credential, and one token more for the one that was refused.
    #expect(server.requests.filter { $0.method == "PUT" }.count == 2)
    #expect(server.requests.filter { $0.target == Self.roles }.count == 5)
  }

  @Test func `a service that refuses every token is an error`() async throws {
    let server = try await server([Self.roles: Answers([.respond(401, "")])])
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.answer?.status == 401)
    #expect(server.requests.count == 2)
  }

  @Test(arguments: ["/latest/api/token", roles, roles + "consumer"])
  func `what passes is tried again, three times in all`(path: String) async throws {
    let server = try await server([path: Answers([.respond(500, "")])])
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.isRetryable)
    #expect(error.tries == 3)
    #expect(server.requests.filter { $0.target == path }.count == 3)
  }

  @Test(arguments: [
    ("/latest/api/token", 403), ("/latest/api/token", 404), ("/latest/api/token", 405),
    (roles, 404), (roles, 403),
  ])
  func `a machine without the service or a role does not apply`(
    path: String, status: Int
  ) async throws {
    let server = try await server([path: Answers([.respond(status, "")])])
    let link = try link(server.url(""))
    let absent = await #expect(throws: LinkAbsent.self) { try await link.find() }
    #expect(absent?.reason.contains("\(status)") == true)

    // Who names the service means it.
    let credentials = try credentials(server, ["AWS_NO_SIGN_REQUEST": "true"])
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.answer?.status == status)
  }

  @Test func `a machine where nobody answers does not apply`() async throws {
    let port = try RefusingPort()
    let link = try link("http://127.0.0.1:\(port.number)")
    let absent = await #expect(throws: LinkAbsent.self) { try await link.find() }
    withExtendedLifetime(port) {}
    #expect(absent?.reason.contains("cannot connect") == true)
    #expect(absent?.isRetryable == true)
    #expect(harness.clock.sleeps.count == 2)
  }

  @Test func `a service that is silent is given up`() async throws {
    let server = try await TestWebServer { _ in .silence }
    let link = try link(server.url(""), timeout: .milliseconds(20))
    let absent = await #expect(throws: LinkAbsent.self) { try await link.find() }
    #expect(absent?.reason.contains("too long") == true)
    #expect(harness.clock.sleeps.count == 2)
  }

  @Test(arguments: ["", "a b", "a\r\nX-Evil: b", "<html>", String(repeating: "a", count: 5000)])
  func `a token that is none is an error`(text: String) async throws {
    let server = try await server(["/latest/api/token": Answers([.respond(200, text)])])
    let link = try link(server.url(""))
    let error = await #expect(throws: BucketError.self) { try await link.find() }
    #expect(server.requests.count == 1 || text == "<html>")
    #expect(error?.reason.contains("Evil") == false)
  }

  @Test(arguments: ["", "\n", "two words", "a\u{1}"])
  func `a role's name that is none is an error`(text: String) async throws {
    let server = try await server([Self.roles: Answers([.respond(200, text)])])
    let credentials = try credentials(server)
    _ = try await harness.failure { try await credentials.current() }
    #expect(server.requests.count == 2)
  }

  @Test func `a role's name stays one part of the path`() async throws {
    let server = try await server([
      Self.roles: Answers([.respond(200, "../../x?y#z")]),
      Self.roles + "..%2F..%2Fx%3Fy%23z": Answers([.respond(200, harness.json())]),
    ])
    #expect(try await credentials(server).current()?.accessKeyID == "AKIDEXAMPLE")
  }

  @Test func `an error in an answer of status 200 is one`() async throws {
    let server = try await server([
      Self.roles + "consumer": Answers([
        .respond(
          200,
          #"{"Code": "AssumeRoleUnauthorizedAccess", "Message": "\#(CredentialHarness.instanceToken) \u202enot trusted"}"#
        )
      ])
    ])
    let credentials = try credentials(server)
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.answer?.serviceCode == "AssumeRoleUnauthorizedAccess")
    #expect(error.reason.hasSuffix("*** trusted"))
  }

  @Test func `a service that is away later is an error that may pass`() async throws {
    let answers = Answers([.respond(200, CredentialHarness.instanceToken), .respond(404, "")])
    let roles = Answers([.respond(200, "consumer"), .respond(401, "")])
    let server = try await server(["/latest/api/token": answers, Self.roles: roles])
    let credentials = harness.credentials(from: try link(server.url("")))
    #expect(try await credentials.current() != nil)
    harness.time.advance(by: 3600)
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.contains("any more"))
  }
}

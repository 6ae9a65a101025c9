import Foundation
import Retrying
import TestSupport
import Testing

@testable import Buckets

@Suite struct GoogleCredentialTests {
  private static let secret = "ya29.secret-token"
  private let work: TemporaryFolder
  private let log = RecordedLog()
  private let clock = JumpingClock()

  init() throws { work = try TemporaryFolder() }

  private static func token(_ text: String = secret, lifetime: Int = 3600) -> TestWebAnswer {
    .respond(200, #"{"access_token":"\#(text)","expires_in":\#(lifetime),"token_type":"Bearer"}"#)
  }

  private func find(
    scope: GoogleScope = .fullControl, _ change: (inout GoogleCredentialSettings) -> Void
  ) throws -> GoogleCredentials {
    var settings = GoogleCredentialSettings()
    change(&settings)
    let transfers = TransferSettings()
    return try GoogleCredentials.find(
      settings, scope: scope, transfers, client: transfers.makeClient(),
      GoogleSurroundings(clock: AnyClock(clock), now: { 1_767_323_045 }), logger: log.logger)
  }

  private func file(_ data: Data) throws -> String {
    let path = work.file("credentials.json")
    try data.write(to: URL(filePath: path))
    return path
  }

  private func refusal(_ data: Data) throws -> String {
    let path = try file(data)
    let error = try #require(throws: BucketError.self) { try find { $0.file = path } }
    #expect(error.code == .credentials)
    return error.description
  }

  // MARK: Service accounts

  @Test(arguments: [GoogleScope.fullControl, .readWrite])
  func `a service account asks with a token that its key has signed`(
    scope: GoogleScope
  ) async throws {
    let server = try await TestWebServer { _ in Self.token() }
    let account = try await TestServiceAccount.shared
    let path = try file(account.file(tokenURL: server.url("/token")))
    let tokens = try #require(try find(scope: scope) { $0.file = path }.tokens)

    #expect(try await tokens.current().text.revealed == Self.secret)
    let request = try #require(server.requests.first)
    #expect(request.method == "POST" && request.target == "/token")
    #expect(request.fields["content-type"] == "application/x-www-form-urlencoded")
    let form = formFields(request.body)
    #expect(form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer")
    let parts = try #require(form["assertion"]).split(separator: ".").map(String.init)
    try #require(parts.count == 3)
    func decoded(_ part: String) throws -> Data {
      #expect(!part.contains("=") && !part.contains("+") && !part.contains("/"))
      let text = part.replacing("-", with: "+").replacing("_", with: "/")
      return try #require(
        Data(base64Encoded: text + String(repeating: "=", count: (4 - text.count % 4) % 4)))
    }
    #expect(
      String(decoding: try decoded(parts[0]), as: UTF8.self)
        == #"{"alg":"RS256","kid":"key-7","typ":"JWT"}"#)
    #expect(
      String(decoding: try decoded(parts[1]), as: UTF8.self)
        == #"{"aud":"\#(server.url("/token"))","exp":1767326635,"iat":1767323035,"#
        + #""iss":"\#(TestServiceAccount.email)","scope":"\#(scope.rawValue)"}"#)
    #expect(try await account.hasSigned(parts[0] + "." + parts[1], decoded(parts[2])))
  }

  @Test func `a key that Google does not know ends at once, with its words`() async throws {
    let server = try await TestWebServer { _ in
      .respond(
        400, #"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#)
    }
    let account = try await TestServiceAccount.shared
    let path = try file(account.file(tokenURL: server.url()))
    let tokens = try #require(try find { $0.file = path }.tokens)
    let error = try await #require(throws: BucketError.self) { try await tokens.current() }
    #expect(error.code == .credentials && error.tries == 1 && !error.isRetryable)
    #expect(error.description.contains("Invalid JWT Signature.; check this machine's clock"))
    #expect(error.answer?.serviceCode == "invalid_grant" && server.requests.count == 1)
  }

  @Test func `a token server in trouble is asked again, with a new assertion each time`()
    async throws
  {
    let count = Counter()
    let server = try await TestWebServer { _ in
      switch count.next() {
      case 1: .respond(503, fields: ["Retry-After": "8"])
      case 2: .reset
      case 3: .respond(400, #"{"error":"internal_failure"}"#)
      default: Self.token()
      }
    }
    let account = try await TestServiceAccount.shared
    let path = try file(account.file(tokenURL: server.url()))
    let tokens = try #require(try find { $0.file = path }.tokens)
    #expect(try await tokens.current().text.revealed == Self.secret)
    #expect(clock.sleeps.count == 3 && clock.sleeps[0] == .seconds(8))
  }

  @Test(arguments: [
    "", "{}", #"{"access_token":""}"#, #"{"access_token":"a b"}"#, #"{"access_token":7}"#,
    #"{"access_token":"a","token_type":"mac"}"#, #"{"access_token":"a\r\nX: y"}"#,
  ])
  func `an answer that is no token is an error`(body: String) async throws {
    let server = try await TestWebServer { _ in .respond(200, body) }
    let account = try await TestServiceAccount.shared
    let path = try file(account.file(tokenURL: server.url()))
    let tokens = try #require(try find { $0.file = path }.tokens)
    let error = try await #require(throws: BucketError.self) { try await tokens.current() }
    #expect(error.code == .credentials && error.description.contains("no token"))
  }

  @Test func `a token is not sent shortly before its end, and shows in no text`() async throws {
    for (lifetime, requests) in [(15, 2), (17, 1)] {
      let server = try await TestWebServer { _ in Self.token(lifetime: lifetime) }
      let account = try await TestServiceAccount.shared
      let path = try file(account.file(tokenURL: server.url()))
      let tokens = try #require(try find { $0.file = path }.tokens)
      var dumped = ""
      for _ in 0..<2 {
        let token = try await tokens.current()
        dump(token, to: &dumped)
        dumped += "\(token)" + String(reflecting: token)
      }
      // The second call with a living token may start a renewal, and does not wait for it.
      #expect(requests == 1 || server.requests.count == requests)
      #expect(!dumped.contains(Self.secret))
    }
  }

  // MARK: Files

  @Test func `a user who has logged in`() async throws {
    let server = try await TestWebServer { _ in Self.token() }
    let json = """
      {"type":"authorized_user","client_id":"id","client_secret":"se/cret",\
      "refresh_token":"1//re+fresh","token_uri":"\(server.url())","quota_project_id":"payer"}
      """
    try Data(json.utf8).write(
      to: URL(filePath: work.file("application_default_credentials.json")))
    let credentials = try find { $0.configurationFolder = work.path }
    #expect(credentials.quotaProject == "payer")
    _ = try await credentials.tokens?.current()
    #expect(
      formFields(server.requests[0].body) == [
        "grant_type": "refresh_token", "client_id": "id", "client_secret": "se/cret",
        "refresh_token": "1//re+fresh",
      ])
  }

  @Test func `a server that repeats what it was told is not repeated`() async throws {
    let server = try await TestWebServer {
      .respond(
        400,
        #"{"error":"invalid_grant","error_description":"Bad form: \#(String(decoding: $0.body, as: UTF8.self)) 1//refresh-secret-123"}"#
      )
    }
    let json = """
      {"type":"authorized_user","client_id":"id","client_secret":"client-secret-456",\
      "refresh_token":"1//refresh-secret-123","token_uri":"\(server.url())"}
      """
    let path = try file(Data(json.utf8))
    let tokens = try #require(try find { $0.file = path }.tokens)
    let error = try await #require(throws: BucketError.self) { try await tokens.current() }
    #expect(error.description.contains("Bad form:"))
    #expect(!error.description.contains("secret-"))
  }

  @Test func `a file that cannot be used is an error, not a reason to look elsewhere`()
    async throws
  {
    let account = try await TestServiceAccount.shared
    let url = "https://oauth2.googleapis.com/token"
    func changed(_ changes: [String: String?]) throws -> String {
      try refusal(account.file(tokenURL: url, changes))
    }
    #expect(try refusal(Data("{".utf8)).contains("not valid JSON"))
    #expect(try refusal(Data(count: 70_000)).contains("larger than 64 KiB"))
    #expect(try changed(["type": "external_account"]).contains("workload identity federation"))
    #expect(try changed(["type": "other"]).contains("have the type other"))
    #expect(try changed(["client_email": nil]).contains("no client_email"))
    #expect(try changed(["private_key": "x"]).contains("not an RSA key"))
    let lines = account.pem.split(separator: "\n")
    let broken = "\(lines[0])\n" + lines.dropFirst(4).joined(separator: "\n")
    #expect(try changed(["private_key": broken]).contains("not an RSA key"))
    let error = try #require(throws: BucketError.self) { try find { $0.file = work.file("no") } }
    #expect(error.description.contains("which does not exist"))
    let folder = try #require(throws: BucketError.self) { try find { $0.file = work.path } }
    #expect(folder.code == .credentials && folder.description.contains("cannot be read"))
  }

  @Test(arguments: [
    ("http://oauth2.googleapis.com/token", false), ("http://127.0.0.1.example.org/", false),
    ("http://localhost:1/", true), ("http://127.0.0.1:1/", true), ("http://[::1]:1/", true),
    ("ftp://localhost/", false), ("https://example.org/", true), ("", false),
  ])
  func `keys are shown over TLS or to this machine alone`(url: String, isAllowed: Bool) async throws
  {
    let account = try await TestServiceAccount.shared
    let path = try file(account.file(tokenURL: url))
    if isAllowed {
      _ = try find { $0.file = path }
    } else {
      let error = try #require(throws: BucketError.self) { try find { $0.file = path } }
      #expect(error.description.contains("token_uri"))
    }
  }

  // MARK: The metadata server

  private func metadata(
    _ answer: @escaping @Sendable (Int, TestWebRequest) -> TestWebAnswer
  ) async throws -> (TestWebServer, GoogleTokens) {
    let count = Counter()
    let server = try await TestWebServer { answer(count.next(), $0) }
    let tokens = try find { $0.metadataHost = "127.0.0.1:\(server.port)" }.tokens
    return (server, try #require(tokens))
  }

  private static func flavored(_ answer: TestWebAnswer) -> TestWebAnswer {
    guard case .respond(let status, _, let body) = answer else { return answer }
    return .respond(status, fields: ["Metadata-Flavor": "Google"], body: body)
  }

  @Test func `a machine at Google has an account of its own`() async throws {
    let (server, tokens) = try await metadata { _, _ in Self.flavored(Self.token()) }
    #expect(try await tokens.current().text.revealed == Self.secret)
    let request = server.requests[0]
    #expect(request.method == "GET" && request.fields["metadata-flavor"] == "Google")
    #expect(
      request.target == "/computeMetadata/v1/instance/service-accounts/default/token"
        + "?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.full_control")
  }

  @Test func `a metadata server that is not ready is asked again`() async throws {
    let (server, tokens) = try await metadata { number, _ in
      switch number {
      case 1: .reset
      case 2: .respond(404)
      case 3: .respond(503)
      case 4: .respond(429)
      default: Self.flavored(Self.token())
      }
    }
    #expect(try await tokens.current().text.revealed == Self.secret)
    #expect(server.requests.count == 5 && clock.sleeps.count == 4)
  }

  @Test func `a machine that may not be its account learns why`() async throws {
    let (server, tokens) = try await metadata { _, _ in
      .respond(403, "Permission 'iam.serviceAccounts.getAccessToken' denied on resource")
    }
    let error = try await #require(throws: BucketError.self) { try await tokens.current() }
    #expect(error.code == .credentials && error.tries == 1 && server.requests.count == 1)
    #expect(error.description.contains("Permission 'iam.serviceAccounts.getAccessToken' denied"))
  }

  @Test func `another server in its place is not believed`() async throws {
    let (server, tokens) = try await metadata { _, _ in Self.token() }
    let error = try await #require(throws: BucketError.self) { try await tokens.current() }
    #expect(error.description.contains("not Google's metadata server"))
    #expect(server.requests.count == 1)
  }

  @Test func `a machine without one says what to do, within half a minute`() async throws {
    let port = try RefusingPort()
    let tokens = try #require(
      try find { $0.metadataHost = "127.0.0.1:\(port.number)" }.tokens)
    let error = try await #require(throws: BucketError.self) { try await tokens.current() }
    #expect(error.code == .credentials)
    #expect(error.description.contains("set GOOGLE_APPLICATION_CREDENTIALS"))
    #expect(error.elapsed <= .seconds(30) && error.tries > 3)

    let (server, none) = try await metadata { _, _ in .respond(404) }
    let missing = try await #require(throws: BucketError.self) { try await none.current() }
    #expect(missing.description.contains("no Google service account"))
    #expect(missing.elapsed <= .seconds(30) && server.requests.count == missing.tries)
  }
}

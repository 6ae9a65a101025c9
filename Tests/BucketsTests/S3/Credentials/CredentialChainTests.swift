import Synchronization
import TestSupport
import Testing

@testable import Buckets

@Suite struct CredentialChainTests {
  private let harness: CredentialHarness

  init() throws { harness = try CredentialHarness() }

  private static let keys = [
    "AWS_ACCESS_KEY_ID": "AKIDENVIRONMENT", "AWS_SECRET_ACCESS_KEY": CredentialHarness.secretKey,
  ]

  @Test func `keys come from the environment`() async throws {
    let credentials = try harness.credentials(
      Self.keys.merging(["AWS_SESSION_TOKEN": CredentialHarness.sessionToken]) { $1 })
    let credential = try #require(try await credentials.current())
    #expect(credential.accessKeyID == "AKIDENVIRONMENT")
    #expect(credential.secretAccessKey.revealed == CredentialHarness.secretKey)
    #expect(credential.sessionToken?.revealed == CredentialHarness.sessionToken)
    #expect(credentials.source == "AWS_ACCESS_KEY_ID")
  }

  @Test func `places are asked in their order`() async throws {
    let json = harness.json(id: "CONTAINER")
    let xml = harness.xml(id: "STS")
    let agent = try await TestWebServer { _ in .respond(200, json) }
    let sts = try await TestWebServer { _ in .respond(200, xml) }
    try harness.write(
      "[default]\naws_access_key_id = FILE\naws_secret_access_key = x\n", to: ".aws/credentials")
    var variables = Self.keys
    variables["AWS_ROLE_ARN"] = "arn"
    variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = try harness.write("token", to: "token")
    variables["AWS_ENDPOINT_URL_STS"] = sts.url()
    variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = agent.url()
    func found() async throws -> String? {
      try await harness.credentials(variables).current()?.accessKeyID
    }

    #expect(try await found() == "AKIDENVIRONMENT")
    for name in Self.keys.keys { variables[name] = "specify_me" }
    #expect(try await found() == "STS")
    variables["AWS_ROLE_ARN"] = nil
    variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = nil
    #expect(try await found() == "FILE")
    try harness.write("", to: ".aws/credentials")
    #expect(try await found() == "CONTAINER")
    variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = nil
    variables["AWS_NO_SIGN_REQUEST"] = "true"
    #expect(try await found() == nil)
  }

  @Test func `without any credential the error names every place`() async throws {
    let credentials = try harness.credentials()
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.code == .credentials)
    #expect(!error.isRetryable)
    for words in [
      "environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
      "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set",
      "shared files: there is no profile default of ~/.aws/credentials and ~/.aws/config",
      "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and",
      "instance: AWS_EC2_METADATA_DISABLED is true",
      "unsigned requests: AWS_NO_SIGN_REQUEST is not true",
    ] {
      #expect(error.reason.contains(words))
    }
  }

  @Test func `unsigned requests are told in the source`() async throws {
    let credentials = try harness.credentials(["AWS_NO_SIGN_REQUEST": "true"])
    #expect(try await credentials.current() == nil)
    #expect(credentials.source == "unsigned requests")
  }

  @Test(arguments: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], ["", "NA"])
  func `half a key is an error and not skipped`(missing: String, value: String) async throws {
    try harness.write(
      "[default]\naws_access_key_id = FILE\naws_secret_access_key = x\n", to: ".aws/credentials")
    let credentials = try harness.credentials(Self.keys.merging([missing: value]) { $1 })
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.reason.hasSuffix("without \(missing)"))
  }

  @Test(arguments: ["\n", " ", "\r\n", "\0"])
  func `a key with something at its end is an error`(end: String) async throws {
    for name in Self.keys.keys {
      let variables = Self.keys.mapValues { $0 == Self.keys[name] ? $0 + end : $0 }
      let credentials = try harness.credentials(variables)
      let error = try await harness.failure { try await credentials.current() }
      #expect(error.reason.hasPrefix("AWS_ACCESS_KEY_ID"))
      #expect(error.reason.contains("line break"))
    }
  }

  /// A place that does as it is told.
  private final class Place: AWSCredentialLink {
    let name: String
    let answer: Mutex<Result<String, any Error>>
    let asked = Atomic(0)

    init(_ name: String, _ answer: Result<String, any Error>) {
      self.name = name
      self.answer = Mutex(answer)
    }

    func find() async throws -> FoundCredential {
      asked.add(1, ordering: .relaxed)
      let id = try answer.withLock { try $0.get() }
      return FoundCredential(
        credential: try AWSCredential(accessKeyID: id, secretAccessKey: Secret("x")),
        source: "\(name) \(id)")
    }
  }

  @Test func `a place that fails is not passed over`() async throws {
    let first = Place("first", .failure(BucketError(.credentials, "broken")))
    let second = Place("second", .success("B"))
    let chain = AWSCredentialChain([first, second], allowsAnonymous: true)
    let error = await #expect(throws: BucketError.self) { try await chain.find() }
    #expect(error?.reason == "broken")
    #expect(second.asked.load(ordering: .relaxed) == 0)
  }

  @Test func `the place that was found is kept`() async throws {
    let first = Place("first", .failure(LinkAbsent(reason: "not there")))
    let second = Place("second", .success("B"))
    let third = Place("third", .success("C"))
    let chain = AWSCredentialChain([first, second, third], allowsAnonymous: true)
    #expect(chain.source == "not looked for yet")
    #expect(try await chain.find()?.credential.accessKeyID == "B")
    #expect(chain.source == "second B")

    first.answer.withLock { $0 = .success("A") }
    second.answer.withLock { $0 = .success("D") }
    #expect(try await chain.find()?.credential.accessKeyID == "D")
    #expect(chain.source == "second D")

    second.answer.withLock { $0 = .failure(LinkAbsent(reason: "gone", isRetryable: true)) }
    let error = await #expect(throws: BucketError.self) { try await chain.find() }
    #expect(error?.reason == "second has no AWS credential any more: gone")
    #expect(error?.isRetryable == true)
  }

  @Test func `a credential shows four characters of its id`() throws {
    let credential = try AWSCredential(
      accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret(CredentialHarness.secretKey),
      sessionToken: Secret(CredentialHarness.sessionToken))
    var dumped = ""
    dump(credential, to: &dumped)
    let text = "\(credential) \(String(reflecting: credential)) \(dumped)"
    #expect("\(credential)" == "AKID…")
    for secret in ["AKIDE", CredentialHarness.secretKey, CredentialHarness.sessionToken] {
      #expect(!text.contains(secret))
    }
  }
}

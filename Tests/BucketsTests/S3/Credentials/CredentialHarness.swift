import CurlClient
import FoundationEssentials
import Logging
import Retrying
import Synchronization
import TestSupport
import Testing

@testable import Buckets

/// Seconds since 1970, as a test wants them.
final class TestTime: Sendable {
  private let value = Mutex(1_800_000_000)

  var now: Int { value.withLock { $0 } }

  func advance(by seconds: Int) { value.withLock { $0 += seconds } }
}

/// Answers of a server one after the other; the last again and again.
final class Answers: Sendable {
  private let rest: Mutex<[TestWebAnswer]>

  init(_ answers: [TestWebAnswer]) { rest = Mutex(answers) }

  func next() -> TestWebAnswer {
    rest.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? .silence }
  }
}

extension TestWebServer {
  /// Gives these answers one after the other, and the last one from then on.
  static func answering(_ answers: TestWebAnswer...) async throws -> TestWebServer {
    let answers = Answers(answers)
    return try await TestWebServer { _ in answers.next() }
  }
}

/// What tests of AWS credentials share: a time of their own, pauses that take no time, and secrets
/// that must not show anywhere.
struct CredentialHarness: Sendable {
  static let secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
  static let sessionToken = "IQoJb3JpZ2luX2VjEXAMPLE+session/token=="
  static let identityToken = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb2QifQ.c2lnbmF0dXJlLW9mLXRva2Vu"
  static let authorization = "container-authorization-7f3a9c"
  static let instanceToken = "AQAEAInstanceMetadataToken56789=="

  let time = TestTime()
  let clock = JumpingClock()
  let folder: TemporaryFolder
  let client: HTTPClient

  init() throws {
    folder = try TemporaryFolder()
    client = try TransferSettings().makeClient(usesProxies: false)
  }

  func service(_ name: String = "the service") -> CredentialService {
    CredentialService(name: name, client: client, clock: AnyClock(clock))
  }

  /// Settings without anything in them, and without this machine's files and metadata.
  func settings(_ variables: [String: String] = [:]) throws -> AWSSettings {
    try AWSSettings(
      variables: ["AWS_EC2_METADATA_DISABLED": "true"].merging(variables) { $1 },
      homeFolder: folder.path)
  }

  func credentials(_ variables: [String: String] = [:]) throws -> AWSCredentials {
    let settings = try settings(variables)
    return AWSCredentials(
      settings, configuration: try AWSConfiguration(settings), client: client, localClient: client,
      logger: Self.quiet, clock: AnyClock(clock), now: { [time] in time.now })
  }

  func credentials(from link: any AWSCredentialLink) -> AWSCredentials {
    AWSCredentials(
      AWSCredentialChain([link], allowsAnonymous: false), logger: Self.quiet,
      now: { [time] in time.now })
  }

  static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

  /// Writes a file into the test's folder and returns its path.
  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    let path = folder.file(name)
    let folder = path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)
    try FileManager.default.createDirectory(
      atPath: String(folder), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(filePath: path))
    return path
  }

  /// The failure of `body`, whose text has no secret in it.
  func failure(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> AWSCredential?
  ) async throws -> BucketError {
    let error = await #expect(throws: BucketError.self, sourceLocation: sourceLocation) {
      _ = try await body()
    }
    let failure = try #require(error, sourceLocation: sourceLocation)
    var dumped = ""
    dump(failure, to: &dumped)
    for secret in [
      Self.secretKey, Self.sessionToken, Self.identityToken, Self.authorization, Self.instanceToken,
    ] {
      #expect(!"\(failure) \(dumped)".contains(secret), sourceLocation: sourceLocation)
    }
    return failure
  }

  // MARK: Answers

  /// The answer of a container's or an instance's service.
  ///
  /// - Parameter changes: members with other values; nil: without them.
  func json(
    id: String = "AKIDEXAMPLE", lifetime: Int = 3600, _ changes: [String: String?] = [:]
  ) -> String {
    let members = members(id, lifetime, token: "Token").merging(changes) { $1 }
    let lines = members.sorted { $0.key < $1.key }.compactMap { name, value in
      value.map { "\"\(name)\": \"\($0)\"" }
    }
    return "{\(lines.joined(separator: ", "))}"
  }

  /// The answer of STS.
  func xml(
    id: String = "AKIDEXAMPLE", lifetime: Int = 3600, _ changes: [String: String?] = [:]
  ) -> String {
    let members = members(id, lifetime, token: "SessionToken").merging(changes) { $1 }
    let lines = members.sorted { $0.key < $1.key }.compactMap { name, value in
      value.map { "<\(name)>\($0)</\(name)>" }
    }
    return """
      <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleWithWebIdentityResult><Audience>sts</Audience><Credentials>
      \(lines.joined(separator: "\n"))
      </Credentials></AssumeRoleWithWebIdentityResult>
      </AssumeRoleWithWebIdentityResponse>
      """
  }

  private func members(_ id: String, _ lifetime: Int, token: String) -> [String: String?] {
    let end = Date(timeIntervalSince1970: Double(time.now + lifetime))
    return [
      "AccessKeyId": id, "SecretAccessKey": Self.secretKey, token: Self.sessionToken,
      "Expiration": end.formatted(.iso8601),
    ]
  }
}

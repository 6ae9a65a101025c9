import CurlClient
import Retrying
import Synchronization

/// The metadata service of EC2 instances, in its second version, which wants a token of its own.
final class InstanceLink: AWSCredentialLink {
  static let standardURL = "http://169.254.169.254"
  private static let rolesPath = "/latest/meta-data/iam/security-credentials/"
  /// Seconds; the longest there is.
  private static let tokenLifetime = "21600"

  let name = "instance"
  private let settings: AWSSettings
  private let service: CredentialService
  private let now: @Sendable () -> Int
  private let baseURL: String
  private let token = Mutex<Secret?>(nil)

  /// - Parameters:
  ///   - baseURL: where the service is, unless the settings name another place.
  ///   - timeout: of a request. Where nobody answers, that must not take long to find out.
  init(
    settings: AWSSettings, baseURL: String = InstanceLink.standardURL, service: CredentialService,
    timeout: Duration = .seconds(1), now: @escaping @Sendable () -> Int
  ) {
    self.settings = settings
    self.baseURL = settings.instanceEndpoint ?? baseURL
    var service = service
    service.timeouts = HTTPTimeouts(connect: timeout, total: timeout, stall: timeout)
    service.policy.maximumRetries = 2
    self.service = service
    self.now = now
  }

  func find() async throws -> FoundCredential {
    if settings.ignoresInstance { throw LinkAbsent(reason: "AWS_EC2_METADATA_DISABLED is true") }
    let role = try await role()
    let credential = try await get(Self.rolesPath + PercentEncoding.encode(role)) { response in
      guard let document = CredentialDocument(response.body) else {
        throw service.malformed("it is not a JSON object")
      }
      if let code = document.texts["Code"], code != "Success" {
        throw service.refusal(
          response, code: code, message: document.texts["Message"],
          hiding: token.withLock { $0 }.map { [$0] } ?? [])
      }
      return try AWSCredential(from: service, token: "Token", now: now()) { document.texts[$0] }
    }
    return FoundCredential(credential: credential, source: "the instance's role \(role)")
  }

  private func role() async throws -> String {
    do {
      return try await get(Self.rolesPath) { response in
        let first = response.body.prefix { $0 != 0x0a && $0 != 0x0d }
        let role = String(decoding: first, as: UTF8.self)
        guard AWSCredential.isSendable(role), role.utf8.count <= 256 else {
          throw service.malformed("no role's name")
        }
        return role
      }
    } catch let error as BucketError {
      throw absence(error) ?? error
    }
  }

  /// Whether an error of the first questions only tells that this is no instance with a role.
  private func absence(_ error: BucketError) -> LinkAbsent? {
    // Somebody who named the service expects it to be there.
    guard settings.instanceEndpoint == nil else { return nil }
    switch error.answer?.status {
    case nil where error.isRetryable:
      return LinkAbsent(
        reason: "\(error) (a container needs a hop limit of 2 on its instance)", isRetryable: true)
    case 403, 404, 405: return LinkAbsent(reason: "\(error)")
    default: return nil
    }
  }

  // MARK: Requests

  /// Reads what the service has at a path, with a new token if the old one does not do any more.
  private func get<Value>(
    _ path: String, read: (HTTPResponse) throws -> Value
  ) async throws -> Value {
    let kept = token.withLock { $0 }
    if let kept {
      do {
        return try await get(path, token: kept, read: read)
      } catch let error as BucketError where error.answer?.status == 401 {}
    }
    return try await get(path, token: newToken(), read: read)
  }

  private func get<Value>(
    _ path: String, token: Secret, read: (HTTPResponse) throws -> Value
  ) async throws -> Value {
    let url = try url(path)
    return try await service.answer {
      HTTPRequest("GET", url, fields: [HTTPField("X-aws-ec2-metadata-token", token.revealed)])
    } read: { response in
      guard response.status == 200 else { throw service.refusal(response) }
      return try read(response)
    }
  }

  private func newToken() async throws -> Secret {
    token.withLock { $0 = nil }
    let url = try url("/latest/api/token")
    let new = try await service.answer {
      HTTPRequest(
        "PUT", url,
        fields: [HTTPField("X-aws-ec2-metadata-token-ttl-seconds", Self.tokenLifetime)])
    } read: { response in
      guard response.status == 200 else { throw service.refusal(response) }
      let text = String(decoding: response.body, as: UTF8.self)
      guard AWSCredential.isSendable(text), text.utf8.count <= 4096 else {
        throw service.malformed("no token")
      }
      return Secret(text)
    }
    token.withLock { $0 = new }
    return new
  }

  private func url(_ path: String) throws(BucketError) -> HTTPURL {
    var base = baseURL
    while base.hasSuffix("/") { base.removeLast() }
    do { return try HTTPURL(base + path) } catch {
      throw BucketError(.credentials, "AWS_EC2_METADATA_SERVICE_ENDPOINT: \(error.reason)")
    }
  }
}

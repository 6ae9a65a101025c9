import CurlClient
import Retrying

/// The machine's own service account on GKE, Compute Engine and Cloud Run, told by a server that only
/// the machine can reach.
struct MetadataServer: GoogleTokenSource, Sendable {
  /// Just after a pod has started it may be refused for some seconds.
  private static let patience: Duration = .seconds(30)
  private static let timeouts = HTTPTimeouts(
    connect: .seconds(3), total: .seconds(10), stall: .seconds(10))
  private static let defaultHosts = ["metadata.google.internal", "169.254.169.254"]

  private let hosts: [String]
  private let scope: GoogleScope
  private let server: TokenServer

  /// - Parameters:
  ///   - host: in place of the usual ones (`GCE_METADATA_HOST`), also with a port.
  ///   - server: its client must not use proxies.
  init(host: String?, scope: GoogleScope, server: TokenServer) {
    hosts = host.map { [$0] } ?? Self.defaultHosts
    self.scope = scope
    self.server = server
  }

  var name: String { "the machine's service account" }

  func fetch() async throws -> Expiring<GoogleToken> {
    let scope = PercentEncoding.encode(scope.rawValue)
    let body = try await get("token?scopes=\(scope)")
    guard let token = GoogleToken.read(body, now: server.now()) else {
      throw BucketError(.credentials, "the metadata server's answer has no token")
    }
    return token
  }

  /// The account's address.
  func email() async throws -> String {
    let email = String(decoding: try await get("email"), as: UTF8.self)
    guard email.contains("@"), email.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw BucketError(.credentials, "the metadata server tells no address of a service account")
    }
    return email
  }

  private func get(_ path: String) async throws -> [UInt8] {
    var settings = server.settings
    settings.retryDeadline = settings.retryDeadline.map { min($0, Self.patience) } ?? Self.patience
    // A machine without such a server should say so soon.
    settings.maximumBackoff = min(settings.maximumBackoff, .seconds(5))
    let operation = StoreOperation(
      key: nil, settings: settings, clock: server.clock, logger: server.logger)
    return try await operation.retrying {
      var unreachable: HTTPError?
      for host in hosts {
        do { return try await get(path, from: host) } catch let error as HTTPError {
          guard error.isRetryable else { throw error }
          unreachable = error
        }
      }
      let why = unreachable.map { "\($0)" } ?? "it has no name"
      throw FailedTry(
        BucketError(
          .credentials,
          "no Google credentials: the metadata server cannot be reached (\(why)); set "
            + "GOOGLE_APPLICATION_CREDENTIALS to a key file, or STORAGE_GCS_ANONYMOUS=true for a "
            + "public bucket", isRetryable: true),
        .later(atLeast: nil))
    }
  }

  private static func meaning(of refusal: HTTPResponse) -> String {
    // On GKE it tells which binding is missing.
    let said = GoogleErrorText(refusal.body).message.map { ": \($0)" } ?? ""
    return switch refusal.status {
    case 404:
      "this machine has no Google service account\(said); give it one, or set "
        + "GOOGLE_APPLICATION_CREDENTIALS to a key file"
    case _ where refusal.head.isTransientFailure: "the metadata server is in trouble\(said)"
    default: "the metadata server does not let this machine act as its service account\(said)"
    }
  }

  private func get(_ path: String, from host: String) async throws -> [UInt8] {
    let url = try HTTPURL(
      "http://\(host)/computeMetadata/v1/instance/service-accounts/default/\(path)")
    let response = try await server.client.send(
      HTTPRequest(
        "GET", url, fields: [HTTPField("Metadata-Flavor", "Google")], timeouts: Self.timeouts))
    let answer = BucketError.ServerAnswer(status: response.status, server: "\(url)")
    guard response.status == 200 else {
      // Just after a pod has started its account may not be known yet.
      let isTransient = response.head.isTransientFailure || response.status == 404
      throw FailedTry(
        BucketError(
          .credentials, Self.meaning(of: response), isRetryable: isTransient, answer: answer),
        isTransient ? .later(atLeast: response.head.retryAfter) : .never)
    }
    // Anything else that answers there is not to be believed.
    guard response.head["metadata-flavor"] == "Google" else {
      throw BucketError(
        .credentials, "\(url) is not Google's metadata server: its answer has no Metadata-Flavor",
        answer: answer)
    }
    return response.body
  }
}

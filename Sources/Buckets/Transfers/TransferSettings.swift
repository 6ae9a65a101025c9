import CurlClient
import Glibc

/// How files are moved to and from stores that are reached by HTTP.
public struct TransferSettings: Sendable {
  /// No pause between two tries is longer (`STORAGE_MAX_BACKOFF`).
  public var maximumBackoff: Duration = .seconds(60)
  /// How long a request that keeps failing is repeated (`STORAGE_RETRY_DEADLINE`); nil: without end.
  public var retryDeadline: Duration? = .seconds(600)
  public var connectTimeout: Duration = .seconds(10)
  /// Without a byte in either direction.
  public var stallTimeout: Duration = .seconds(60)
  /// Bytes of a part of a file that is moved in parts.
  public var partSize = 16 << 20
  /// Parts of one file under way at the same time.
  public var concurrency = 4
  /// Files of more bytes than this are moved in parts.
  public var multipartThreshold = 64 << 20
  /// Certificates (PEM) to trust besides the system's.
  public var authorityFile: String?
  public var userAgent = "redis-consumer"

  public init() {}

  /// For requests that move files: their size decides how long they take.
  var transferTimeouts: HTTPTimeouts {
    HTTPTimeouts(connect: connectTimeout, total: nil, stall: stallTimeout)
  }

  /// For requests without bodies to speak of.
  var requestTimeouts: HTTPTimeouts {
    HTTPTimeouts(connect: connectTimeout, total: .seconds(60), stall: stallTimeout)
  }

  /// How one bucket is reached: connections for two files at full speed are kept.
  func clientConfiguration(
    usesProxies: Bool = true, addresses: AddressGuard? = nil
  ) -> HTTPClientConfiguration {
    HTTPClientConfiguration(
      userAgent: userAgent, addresses: addresses, authorityFile: authorityFile, trustsSystem: true,
      usesProxies: usesProxies, connectionsPerHost: 2 * concurrency)
  }

  /// - Parameters:
  ///   - usesProxies: not where credentials are asked for on the local network.
  ///   - addresses: that may be connected to, where others than the operator choose the hosts.
  /// - Throws: ``BucketError`` `invalidRequest` when ``authorityFile`` cannot be read, or no thread can be
  ///   started.
  func makeClient(
    usesProxies: Bool = true, addresses: AddressGuard? = nil
  ) throws(BucketError) -> HTTPClient {
    // Else every request would fail, and say less.
    if let authorityFile, access(authorityFile, R_OK) != 0 {
      let error = SystemError.last
      throw BucketError(
        .invalidRequest,
        "the certificates of STORAGE_CA_BUNDLE, AWS_CA_BUNDLE or SSL_CERT_FILE in \(authorityFile) "
          + "cannot be read: \(error.text)")
    }
    do {
      return try HTTPClient(clientConfiguration(usesProxies: usesProxies, addresses: addresses))
    } catch {
      throw BucketError(.invalidRequest, "no connections can be made: \(error)")
    }
  }
}

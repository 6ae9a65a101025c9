import NIOCore
import NIOSSL
import Synchronization

/// Makes the TLS handlers of a client's connections.
final class TLSContexts: Sendable {
  private let settings: RedisTLS
  private let current = Mutex<NIOSSLContext?>(nil)

  init(_ settings: RedisTLS) {
    self.settings = settings
  }

  /// Forgets what was read from the files: called after a failed handshake, so that renewed
  /// certificates are picked up. Reading them each time would make each connection slower.
  func reload() {
    current.withLock { $0 = nil }
  }

  /// Reads the files, unless that was done before.
  ///
  /// - Throws: ``RedisError`` when a file cannot be used.
  func context() throws(RedisError) -> NIOSSLContext {
    if let context = current.withLock({ $0 }) { return context }
    let context = try makeContext()
    current.withLock { $0 = context }
    return context
  }

  func makeHandler(_ context: NIOSSLContext, host: String) throws(RedisError) -> NIOSSLClientHandler
  {
    do {
      return try NIOSSLClientHandler(context: context, serverHostname: expectedName(host))
    } catch {
      throw RedisError(
        .invalidConfiguration, reason: "\"\(host)\" cannot be verified by TLS: \(error)")
    }
  }

  /// NIOSSL takes names only; given none, it compares the address connected to.
  private func expectedName(_ host: String) -> String? {
    let name = settings.serverName ?? host
    return (try? SocketAddress(ipAddress: name, port: 0)) == nil ? name : nil
  }

  private func makeContext() throws(RedisError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.shutdownTimeout = .seconds(1)
    do {
      if let file = settings.authorityFile {
        configuration.trustRoots = .certificates(
          try Self.read(file) { try NIOSSLCertificate.fromPEMFile($0) })
      }
      switch (settings.certificateFile, settings.keyFile) {
      case (nil, nil): break
      case (let certificate?, let key?):
        configuration.certificateChain = try Self.read(certificate) {
          try NIOSSLCertificate.fromPEMFile($0).map { .certificate($0) }
        }
        configuration.privateKey = .privateKey(
          try Self.read(key) { try NIOSSLPrivateKey(file: $0, format: .pem) })
      default:
        throw RedisError(
          .invalidConfiguration,
          reason: "a client certificate needs both REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE")
      }
      return try NIOSSLContext(configuration: configuration)
    } catch let error as RedisError {
      throw error
    } catch {
      throw RedisError(.invalidConfiguration, reason: "TLS cannot be set up: \(error)")
    }
  }

  private static func read<T>(_ file: String, _ body: (String) throws -> T) throws -> T {
    do {
      return try body(file)
    } catch {
      throw RedisError(
        .invalidConfiguration, reason: "cannot read the PEM file \(file): \(error)")
    }
  }
}

import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension RedisError {
  /// What an error of SwiftNIO means here.
  static func transport(_ error: any Error) -> RedisError {
    switch error {
    case let error as RedisError: error
    case let error as IOError: RedisError(.connectionLost, reason: errorText(error.errnoCode))
    case let error as NIOSSLError: RedisError(.tlsFailed, reason: tlsText("\(error)"))
    case let error as BoringSSLError: RedisError(.tlsFailed, reason: tlsText("\(error)"))
    case let error as NIOSSLExtraError: RedisError(.tlsFailed, reason: tlsText("\(error)"))
    case let error as NIOConnectionError:
      // One of ours comes from setting up the channel.
      error.connectionErrors.lazy.compactMap { $0.error as? RedisError }.first
        ?? RedisError(.connectionFailed, reason: connectText(error))
    case ChannelError.connectTimeout:
      RedisError(.connectionFailed, reason: "no answer within the time to connect")
    case let error as ChannelError: RedisError(.connectionLost, reason: "\(error)")
    default: RedisError(.connectionLost, reason: "\(error)")
    }
  }

  private static func connectText(_ error: NIOConnectionError) -> String {
    let reasons = error.connectionErrors.map { failure in
      switch failure.error {
      case let error as IOError: errorText(error.errnoCode)
      case ChannelError.connectTimeout: "no answer within the time to connect"
      default: "\(failure.error)"
      }
    }
    if reasons.isEmpty, error.dnsAError != nil || error.dnsAAAAError != nil {
      return "no address is known for the name \(error.host)"
    }
    var distinct: [String] = []
    for reason in reasons where !distinct.contains(reason) { distinct.append(reason) }
    return distinct.isEmpty ? "no address" : distinct.joined(separator: "; ")
  }

  private static func errorText(_ code: CInt) -> String {
    String(cString: strerror(code)).lowercased()
  }

  /// BoringSSL's words, and what to do about the frequent ones.
  private static func tlsText(_ text: String) -> String {
    let hints = [
      ("CERTIFICATE_VERIFY_FAILED", "the certificate is not signed by a trusted authority"),
      ("failedToValidateHostname", "the certificate does not fit the host; see REDIS_HOST"),
      ("WRONG_VERSION_NUMBER", "the port does not speak TLS; see REDIS_TLS"),
      ("CERTIFICATE_REQUIRED", "the server wants a certificate; see REDIS_TLS_CERT_FILE"),
      ("UNKNOWN_CA", "the server does not trust our certificate; see REDIS_TLS_CERT_FILE"),
    ]
    let hint = hints.first { text.contains($0.0) }
    return hint.map { "\($0.1) (\(text))" } ?? text
  }

  /// Adds where it happened, and makes a loss while connecting a failure to connect.
  func whileConnecting(to endpoint: RedisEndpoint, hint: String? = nil) -> RedisError {
    let code = code == .connectionLost || code == .timedOut ? .connectionFailed : code
    let place = reason.hasPrefix("\(endpoint)") ? reason : "\(endpoint): \(reason)"
    return RedisError(code, reason: hint.map { "\(place); \($0)" } ?? place)
  }
}

import Retrying

/// A failed HTTP transfer. A response of any status is not a failure.
package struct HTTPError: Error, Sendable, Hashable {
  package enum Code: String, Sendable {
    /// What was asked for cannot be sent: URL, header or setting.
    case invalidRequest
    /// The host's address is one that the client may not connect to; see ``AddressGuard``.
    case addressRefused
    case nameNotResolved
    case connectionFailed
    /// The server's certificate, or a file of certificates, does not do.
    case certificateRefused
    /// The connection ended before the response did.
    case connectionLost
    case timedOut
    /// The response is larger than the caller takes.
    case tooLarge
    /// The body to be sent could not be read, or the response's not be stored.
    case bodyFailed
    /// More transfers are under way than the client allows.
    case tooManyTransfers
    /// The client has ended.
    case stopped
  }

  package let code: Code
  /// Scheme, host and port; nil when there is no valid URL. Paths, queries and user names of URLs may
  /// be secret and are never kept.
  package let server: String?
  package let reason: String
  /// Of the response, when it had begun.
  package let status: Int?

  package init(_ code: Code, server: String? = nil, reason: String, status: Int? = nil) {
    self.code = code
    self.server = server
    self.reason = reason
    self.status = status
  }
}

extension HTTPError: RetryableError {
  package var isRetryable: Bool {
    switch code {
    case .nameNotResolved, .connectionFailed, .connectionLost, .timedOut, .tooManyTransfers: true
    case .invalidRequest, .addressRefused, .certificateRefused, .tooLarge, .bodyFailed, .stopped:
      false
    }
  }
}

extension HTTPError: CustomStringConvertible {
  package var description: String {
    let server = server ?? "a server"
    return switch code {
    case .invalidRequest: "the request cannot be sent: \(reason)"
    case .addressRefused: "\(server) may not be connected to: \(reason)"
    case .nameNotResolved: "\(server) is not known: \(reason)"
    case .connectionFailed: "cannot connect to \(server): \(reason)"
    case .certificateRefused: "no trust in \(server): \(reason)"
    case .connectionLost: "connection to \(server) lost: \(reason)"
    case .timedOut: "\(server) took too long: \(reason)"
    case .tooLarge: "the answer of \(server) is too large: \(reason)"
    case .bodyFailed: "transfer with \(server) broken off: \(reason)"
    case .tooManyTransfers, .stopped: "no request was sent to \(server): \(reason)"
    }
  }
}

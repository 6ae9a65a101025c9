/// A failed Redis operation.
public struct RedisError: Error, Sendable, Hashable {
  public enum Code: String, Sendable {
    /// No connection came about in time: unreachable, refused, silent, still loading.
    case connectionFailed
    /// The connection ended before the reply.
    case connectionLost
    /// User, password or database were refused.
    case authenticationFailed
    /// TLS was refused by either side: certificate, host name, authority.
    case tlsFailed
    /// The reply did not come within the command's time.
    case timedOut
    /// The server answered with an error; see ``RedisError/serverCode``.
    case rejected
    /// The server sent what is not RESP, or more than ``ReplyLimits`` allow.
    case protocolViolation
    /// The reply is correct but of another form than the caller decodes.
    case unexpectedReply
    /// The command cannot be sent: too large, or not possible on a shared connection.
    case invalidCommand
    /// A setting cannot work, as a certificate file that cannot be read.
    case invalidConfiguration
    /// More commands wait than ``RedisConfiguration/pendingLimit`` allows.
    case tooManyPending
    /// The client's `run()` has ended or never began.
    case notRunning
  }

  public let code: Code

  /// First word of the command that failed. Arguments are never kept: they may be secret.
  public let command: String?

  /// What happened, in words.
  public let reason: String

  /// Whether the command may have been executed although it failed. Only a command that can be
  /// repeated without harm may then be sent again.
  public let outcomeUnknown: Bool

  public init(
    _ code: Code, command: String? = nil, reason: String, outcomeUnknown: Bool = false
  ) {
    self.code = code
    self.command = command
    self.reason = reason
    self.outcomeUnknown = outcomeUnknown
  }
}

extension RedisError {
  /// First word of the server's error, as `WRONGTYPE`, `NOSCRIPT` or `OOM`; nil for other errors.
  public var serverCode: String? {
    guard code == .rejected || code == .authenticationFailed else { return nil }
    let word = reason.prefix { $0 != " " }
    return word.allSatisfy { $0.isUppercase } ? String(word) : nil
  }

  /// Whether the same operation may succeed later without anybody changing a setting. When
  /// ``outcomeUnknown`` is set as well, repeat only what does no harm twice.
  public var isRetryable: Bool {
    switch code {
    case .connectionFailed, .connectionLost, .timedOut, .tooManyPending: true
    case .rejected: ServerCode(message: reason)?.isTemporary ?? Self.announcesHangUp(reason)
    case .authenticationFailed, .tlsFailed, .protocolViolation, .unexpectedReply, .invalidCommand,
      .invalidConfiguration, .notRunning:
      false
    }
  }

  /// The error a server's message stands for.
  static func rejected(_ message: String, command: String?) -> RedisError {
    switch ServerCode(message: message) {
    case .noAuth, .wrongPassword:
      RedisError(.authenticationFailed, command: command, reason: message)
    default: RedisError(.rejected, command: command, reason: message)
    }
  }

  /// Whether the server says this before it closes a new connection: it has too many, or is in
  /// protected mode.
  static func announcesHangUp(_ message: String) -> Bool {
    message.hasPrefix("ERR max number of clients") || message.hasPrefix("DENIED")
  }

  func with(command: String?, outcomeUnknown: Bool) -> RedisError {
    RedisError(code, command: command, reason: reason, outcomeUnknown: outcomeUnknown)
  }
}

extension RedisError: CustomStringConvertible {
  public var description: String {
    let what = command.map { "Redis command \($0)" } ?? "Redis"
    let text =
      switch code {
      case .connectionFailed: "cannot reach Redis: \(reason)"
      case .connectionLost: "\(what): connection lost: \(reason)"
      case .authenticationFailed:
        "Redis refused the login: \(reason); check REDIS_USERNAME, REDIS_PASSWORD and REDIS_DB"
      case .tlsFailed: "no TLS connection to Redis: \(reason)"
      case .timedOut: "\(what) timed out: \(reason)"
      case .rejected: "\(what) was rejected: \(reason)"
      case .protocolViolation: "\(what): unusable reply: \(reason)"
      case .unexpectedReply: "\(what): unexpected reply: \(reason)"
      case .invalidCommand: "\(what) cannot be sent: \(reason)"
      case .invalidConfiguration: "Redis settings: \(reason)"
      case .tooManyPending: "\(what) was not sent: \(reason)"
      case .notRunning: "\(what) was not sent: \(reason)"
      }
    return outcomeUnknown ? text + " (it may have been executed)" : text
  }
}

/// Errors of the server that this client acts upon.
enum ServerCode: String {
  case busy = "BUSY"
  case loading = "LOADING"
  case masterDown = "MASTERDOWN"
  case noAuth = "NOAUTH"
  case noScript = "NOSCRIPT"
  case outOfMemory = "OOM"
  case readOnly = "READONLY"
  case tooFewReplicas = "NOREPLICAS"
  case tryAgain = "TRYAGAIN"
  case unblocked = "UNBLOCKED"
  case wrongPassword = "WRONGPASS"

  /// Reads the first word of an error message.
  init?(message: String) {
    self.init(rawValue: String(message.prefix { $0 != " " }))
  }

  /// Whether waiting may help.
  var isTemporary: Bool {
    switch self {
    case .busy, .loading, .masterDown, .outOfMemory, .readOnly, .tooFewReplicas, .tryAgain,
      .unblocked:
      true
    case .noAuth, .noScript, .wrongPassword: false
    }
  }

  /// Whether the server is not (or no longer) one to talk to: the connection is given up and the
  /// primary looked for again.
  var endsConnection: Bool { refusesAsNonPrimary || self == .noAuth }

  /// Whether the command was not executed because the server is not (or no longer) the primary.
  var refusesAsNonPrimary: Bool {
    switch self {
    case .loading, .masterDown, .readOnly, .unblocked: true
    default: false
    }
  }
}

extension RedisValue {
  /// Whether this is an error by which a server that is not the primary has declined a command.
  var isRefusalOfNonPrimary: Bool {
    errorMessage.flatMap { ServerCode(message: $0) }?.refusesAsNonPrimary == true
  }
}

/// A command and its arguments, ready to be sent once or many times.
public struct RedisCommand: Sendable {
  /// The first word, as `HSET`.
  public let name: String
  public let arguments: [any RedisArgument]

  /// Whether sending it twice does no harm. Such a command is sent again by itself when the
  /// connection breaks before its reply has come; any other fails with
  /// ``RedisError/outcomeUnknown`` set.
  public var isIdempotent: Bool

  public init(_ name: String, _ arguments: any RedisArgument..., idempotent: Bool = false) {
    self.init(name, arguments: arguments, idempotent: idempotent)
  }

  public init(_ name: String, arguments: [any RedisArgument], idempotent: Bool = false) {
    self.name = name
    self.arguments = arguments
    self.isIdempotent = idempotent
  }
}

extension RedisCommand: CustomStringConvertible {
  /// The name and the number of arguments: they may be secret or large.
  public var description: String { "\(name) with \(arguments.count) arguments" }
}

/// One reply of Redis, or a part of one.
///
/// An error inside an array, as `EXEC` and ``RedisClient/pipeline(_:timeout:)`` give, is a value; an
/// error that is the whole reply to a command is thrown.
public enum RedisValue: Sendable, Hashable {
  /// A string of any bytes; also the short status replies such as `OK`.
  case string([UInt8])
  case integer(Int)
  case array([RedisValue])
  case null
  /// The server's message; its first word is the code, as `WRONGTYPE`.
  indirect case error(String)
}

extension RedisValue {
  /// The bytes of a string.
  public var bytes: [UInt8]? {
    if case .string(let bytes) = self { bytes } else { nil }
  }

  /// The text of a string; nil when it is not UTF-8.
  public var string: String? {
    if case .string(let bytes) = self { String(validating: bytes, as: UTF8.self) } else { nil }
  }

  /// An integer, also one that was sent as text.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .string: string.flatMap { Int($0) }
    default: nil
    }
  }

  /// The elements of an array.
  public var array: [RedisValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  public var isNull: Bool { self == .null }

  /// The server's error message.
  public var errorMessage: String? {
    if case .error(let message) = self { message } else { nil }
  }

  /// Whether this is the status or string `OK`.
  public var isOK: Bool { self == "OK" }

  /// The name of the kind of reply, for messages: never its contents.
  var kind: String {
    switch self {
    case .string: "a string"
    case .integer: "an integer"
    case .array(let elements): "an array of \(elements.count)"
    case .null: "null"
    case .error: "an error"
    }
  }
}

extension RedisValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(Array(value.utf8)) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(arrayLiteral elements: RedisValue...) { self = .array(elements) }
  public init(nilLiteral: ()) { self = .null }
}

extension RedisValue: CustomStringConvertible {
  /// As `redis-cli` would show it; strings that are not text by their size.
  public var description: String {
    switch self {
    case .string(let bytes): string.map { "\"\($0)\"" } ?? "<\(bytes.count) bytes>"
    case .integer(let value): "\(value)"
    case .array(let elements): "[\(elements.map(\.description).joined(separator: ", "))]"
    case .null: "null"
    case .error(let message): "error: \(message)"
    }
  }
}

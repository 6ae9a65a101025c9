/// A value that can be an argument of a command: text, bytes and numbers.
public protocol RedisArgument: Sendable {
  /// The number of bytes to be sent.
  var redisByteCount: Int { get }

  /// Calls `body` once with the bytes to be sent; they are valid during the call only.
  func withRedisBytes(_ body: (UnsafeRawBufferPointer) -> Void)
}

extension String: RedisArgument {
  public var redisByteCount: Int { utf8.count }

  public func withRedisBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    var text = self
    text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }
}

extension Substring: RedisArgument {
  public var redisByteCount: Int { utf8.count }

  public func withRedisBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    var text = self
    text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }
}

extension Int: RedisArgument {
  public var redisByteCount: Int { description.redisByteCount }

  public func withRedisBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    description.withRedisBytes(body)
  }
}

extension Double: RedisArgument {
  public var redisByteCount: Int { description.redisByteCount }

  public func withRedisBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    description.withRedisBytes(body)
  }
}

extension Array: RedisArgument where Element == UInt8 {
  public var redisByteCount: Int { count }

  public func withRedisBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    withUnsafeBytes(body)
  }
}

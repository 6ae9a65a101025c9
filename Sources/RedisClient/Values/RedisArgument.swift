/// A value that can be an argument of a command: text, bytes and numbers.
public protocol RedisArgument: Sendable {
  /// Calls `body` with the bytes to be sent; they are valid during the call only.
  func withRedisBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(RedisError) -> Result
  ) throws(RedisError) -> Result
}

extension String: RedisArgument {
  public func withRedisBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(RedisError) -> Result
  ) throws(RedisError) -> Result {
    var text = self
    return try text.withUTF8Bytes(body)
  }

  private mutating func withUTF8Bytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(RedisError) -> Result
  ) throws(RedisError) -> Result {
    // `withUTF8` has no typed throws: carry the outcome out as a value.
    let outcome: Swift.Result<Result, RedisError> = withUTF8 { bytes in
      Swift.Result { () throws(RedisError) in try body(UnsafeRawBufferPointer(bytes)) }
    }
    return try outcome.get()
  }
}

extension Substring: RedisArgument {
  public func withRedisBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(RedisError) -> Result
  ) throws(RedisError) -> Result {
    try String(self).withRedisBytes(body)
  }
}

extension Int: RedisArgument {
  public func withRedisBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(RedisError) -> Result
  ) throws(RedisError) -> Result {
    try String(self).withRedisBytes(body)
  }
}

extension Double: RedisArgument {
  public func withRedisBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(RedisError) -> Result
  ) throws(RedisError) -> Result {
    try String(self).withRedisBytes(body)
  }
}

extension Array: RedisArgument where Element == UInt8 {
  public func withRedisBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(RedisError) -> Result
  ) throws(RedisError) -> Result {
    let outcome: Swift.Result<Result, RedisError> = withUnsafeBytes { bytes in
      Swift.Result { () throws(RedisError) in try body(bytes) }
    }
    return try outcome.get()
  }
}

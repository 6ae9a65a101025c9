import CHiredis

/// Turns received bytes into values by hiredis, and keeps hiredis within ``ReplyLimits``.
///
/// Not thread-safe: it belongs to one connection's event loop.
final class ReplyReader {
  /// hiredis moves its buffer after each reply, so long slices full of small replies are slow.
  private static let sliceSize = 16 << 10

  /// After a reply this large the reader is replaced, since it would keep its buffer.
  private static let largeReply = 1 << 20

  private let limits: ReplyLimits
  private let builder: ReplyBuilder
  private var reader: UnsafeMutablePointer<redisReader>

  /// - Throws: ``RedisError`` when there is no memory.
  init(limits: ReplyLimits) throws(RedisError) {
    self.limits = limits
    builder = ReplyBuilder(limits: limits)
    reader = try Self.makeReader(builder)
  }

  deinit { redisReaderFree(reader) }

  /// Parses bytes and calls `body` with each value they complete. After an error the reader must not
  /// be used again.
  func feed(
    _ bytes: UnsafeRawBufferPointer, _ body: (RedisValue) -> Void
  ) throws(RedisError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let slice = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.sliceSize))
      rest = rest.dropFirst(slice.count)
      guard chiredis_unparsed(reader) + slice.count <= limits.bytes + 2 * Self.sliceSize else {
        throw RedisError(.protocolViolation, reason: "it is over \(limits.bytes) bytes long")
      }
      let text = slice.bindMemory(to: CChar.self).baseAddress
      guard redisReaderFeed(reader, text, slice.count) == REDIS_OK else { throw parserError }
      try drain(body)
    }
  }

  private func drain(_ body: (RedisValue) -> Void) throws(RedisError) {
    while true {
      var reply: UnsafeMutableRawPointer?
      guard redisReaderGetReply(reader, &reply) == REDIS_OK else { throw parserError }
      guard reply != nil else { return try checkUnfinished() }
      let size = builder.size
      guard let value = builder.take() else {
        throw RedisError(.protocolViolation, reason: "it has a type of RESP3")
      }
      body(value)
      if size >= Self.largeReply, chiredis_unparsed(reader) == 0 {
        redisReaderFree(reader)
        reader = try Self.makeReader(builder)
      }
    }
  }

  /// Refuses an unfinished item whose beginning shows that it would never be accepted.
  private func checkUnfinished() throws(RedisError) {
    let count = chiredis_unparsed(reader)
    guard count > 0, let buffer = reader.pointee.buf else { return }
    let rest = UnsafeRawBufferPointer(start: buffer + Int(reader.pointee.pos), count: count)
    switch chiredis_pending_type(reader) {
    case REDIS_REPLY_STATUS, REDIS_REPLY_ERROR, REDIS_REPLY_INTEGER:
      guard count <= ReplyLimits.longestLine else {
        throw RedisError(
          .protocolViolation, reason: "a line is over \(ReplyLimits.longestLine) bytes long")
      }
    case REDIS_REPLY_STRING: try checkHeader(rest, limit: limits.bytes)
    default: try checkHeader(rest, limit: limits.elements)
    }
  }

  /// Checks the length after `$` or `*`, as far as it has come.
  private func checkHeader(
    _ bytes: UnsafeRawBufferPointer, limit: Int
  ) throws(RedisError) {
    let start = bytes.prefix(ReplyLimits.longestHeader)
    guard let end = start.firstIndex(of: UInt8(ascii: "\r")) else {
      if bytes.count < ReplyLimits.longestHeader { return }
      throw RedisError(.protocolViolation, reason: "a length has no end")
    }
    guard let length = Int(String(decoding: start[..<end], as: UTF8.self)), length <= limit else {
      throw RedisError(
        .protocolViolation, reason: "an announced length is over the limit of \(limit)")
    }
  }

  private var parserError: RedisError {
    if let failure = builder.failure { return failure }
    let message = withUnsafeBytes(of: &reader.pointee.errstr) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return RedisError(.protocolViolation, reason: message)
  }

  private static func makeReader(
    _ builder: ReplyBuilder
  ) throws(RedisError) -> UnsafeMutablePointer<redisReader> {
    guard let callbacks = ReplyBuilder.callbacks,
      let reader = redisReaderCreateWithFunctions(callbacks)
    else { throw RedisError(.protocolViolation, reason: "there is no memory for a parser") }
    // Not by `redisReaderSetPrivdata`, which casts the pointer to `int`. The builder lives as long
    // as the `ReplyReader` that frees this reader.
    reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
    return reader
  }
}

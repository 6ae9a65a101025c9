import CHiredis

/// Collects what hiredis parses into one ``RedisValue``, within limits.
///
/// hiredis goes depth first, so the array being filled and a stack of those around it are enough.
final class ReplyBuilder {
  private let limits: ReplyLimits

  /// The innermost open array: in a property of its own, since appending inside an array of arrays
  /// is much slower.
  private var open: [RedisValue] = []
  private var missing = 0
  private var outer: [(elements: [RedisValue], missing: Int)] = []

  private var bytes = 0
  private var elements = 0

  /// The value once complete.
  private(set) var result: RedisValue?

  /// Why a callback stopped the parse.
  private(set) var failure: RedisError?

  init(limits: ReplyLimits) {
    self.limits = limits
  }

  /// Bytes of strings in the value under construction or just completed.
  var size: Int { bytes }

  /// Takes the finished value and starts anew.
  func take() -> RedisValue? {
    defer {
      result = nil
      bytes = 0
      elements = 0
    }
    return result
  }

  // Each returns whether parsing may go on.

  func addString(_ type: Int32, _ text: UnsafeRawBufferPointer, end: UnsafeRawBufferPointer) -> Bool
  {
    bytes += text.count
    guard bytes <= limits.bytes else { return fail("it holds over \(limits.bytes) bytes") }
    switch type {
    case REDIS_REPLY_ERROR: return add(.error(String(decoding: text, as: UTF8.self)))
    case REDIS_REPLY_STATUS: return add(.string(Array(text)))
    case REDIS_REPLY_STRING:
      // hiredis skips the two bytes after a string without looking at them.
      guard end[0] == UInt8(ascii: "\r"), end[1] == UInt8(ascii: "\n") else {
        return fail("a string does not end where it should")
      }
      return add(.string(Array(text)))
    default: return fail("it has a type of RESP3")
    }
  }

  func addInteger(_ value: Int) -> Bool { add(.integer(value)) }

  func addNull() -> Bool { add(.null) }

  func addArray(_ type: Int32, count: Int) -> Bool {
    guard type == REDIS_REPLY_ARRAY else { return fail("it has a type of RESP3") }
    guard count <= limits.elements - elements else {
      return fail("it has over \(limits.elements) elements")
    }
    guard count > 0 else { return add(.array([])) }
    guard outer.count < ReplyLimits.deepestNesting else {
      return fail("its arrays are nested over \(ReplyLimits.deepestNesting) deep")
    }
    elements += 1
    outer.append((open, missing))
    open = []
    // The announced count is only a claim: room is made as elements arrive.
    open.reserveCapacity(min(count, 64))
    missing = count
    return true
  }

  private func add(_ value: RedisValue) -> Bool {
    elements += 1
    guard elements <= limits.elements else {
      return fail("it has over \(limits.elements) elements")
    }
    var value = value
    while !outer.isEmpty {
      open.append(value)
      missing -= 1
      if missing > 0 { return true }
      value = .array(open)
      (open, missing) = outer.removeLast()
    }
    result = value
    return true
  }

  private func fail(_ reason: String) -> Bool {
    if failure == nil { failure = RedisError(.protocolViolation, reason: reason) }
    return false
  }
}

extension ReplyBuilder {
  /// hiredis' callbacks, allocated once for the life of the process. Each finds its builder in the
  /// task's `privdata`; a null result stops the parse.
  nonisolated(unsafe) static let callbacks: UnsafeMutablePointer<redisReplyObjectFunctions>? = {
    guard let functions = chiredis_make_functions() else { return nil }
    functions.pointee.createString = { task, text, length in
      ReplyBuilder.callback(task) { builder, type in
        let text = UnsafeRawPointer(text)
        return builder.addString(
          type, UnsafeRawBufferPointer(start: text, count: length),
          end: UnsafeRawBufferPointer(start: text.map { $0 + length }, count: 2))
      }
    }
    functions.pointee.createArray = { task, count in
      ReplyBuilder.callback(task) { builder, type in builder.addArray(type, count: Int(count)) }
    }
    functions.pointee.createInteger = { task, value in
      ReplyBuilder.callback(task) { builder, _ in builder.addInteger(Int(value)) }
    }
    functions.pointee.createNil = { task in
      ReplyBuilder.callback(task) { builder, _ in builder.addNull() }
    }
    functions.pointee.freeObject = { _ in }
    return functions
  }()

  /// hiredis wants an object per value: any address but null will do.
  nonisolated(unsafe) private static let some = UnsafeMutableRawPointer.allocate(
    byteCount: 1, alignment: 1)

  @inline(__always)
  private static func callback(
    _ task: UnsafePointer<redisReadTask>?, _ body: (ReplyBuilder, Int32) -> Bool
  ) -> UnsafeMutableRawPointer? {
    guard let task, let builder = task.pointee.privdata else { return nil }
    let goesOn = Unmanaged<ReplyBuilder>.fromOpaque(builder)._withUnsafeGuaranteedRef {
      body($0, task.pointee.type)
    }
    return goesOn ? some : nil
  }
}

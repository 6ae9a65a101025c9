/// What a reply can be turned into by ``RedisValue/decode(_:)``.
public protocol RedisDecodable {
  /// - Throws: ``RedisError`` with the code `unexpectedReply` when the reply has another form.
  init(redis value: RedisValue) throws(RedisError)
}

extension RedisValue {
  /// Turns a reply into a Swift value: `String`, `Int`, `Double`, `Bool`, `[UInt8]`, arrays,
  /// dictionaries (from the flat pairs of `HGETALL`) and optionals of them (null is nil).
  ///
  /// ```swift
  /// let fields: [String: String] = try await redis.command("HGETALL", key).decode()
  /// ```
  public func decode<T: RedisDecodable>(_ type: T.Type = T.self) throws(RedisError) -> T {
    try T(redis: self)
  }

  private func expected(_ form: String) -> RedisError {
    if let message = errorMessage { return .rejected(message, command: nil) }
    return RedisError(.unexpectedReply, reason: "expected \(form), got \(kind)")
  }

  fileprivate func required<T>(_ value: T?, _ form: String) throws(RedisError) -> T {
    guard let value else { throw expected(form) }
    return value
  }
}

extension RedisValue: RedisDecodable {
  public init(redis value: RedisValue) { self = value }
}

extension String: RedisDecodable {
  /// Integers become their decimal text. Bytes that are not UTF-8 are an error.
  public init(redis value: RedisValue) throws(RedisError) {
    if case .integer(let number) = value {
      self = String(number)
    } else {
      self = try value.required(value.string, "text in UTF-8")
    }
  }
}

extension Int: RedisDecodable {
  public init(redis value: RedisValue) throws(RedisError) {
    self = try value.required(value.integer, "an integer")
  }
}

extension Double: RedisDecodable {
  public init(redis value: RedisValue) throws(RedisError) {
    if case .integer(let number) = value {
      self = Double(number)
    } else {
      self = try value.required(value.string.flatMap { Double($0) }, "a number")
    }
  }
}

extension Bool: RedisDecodable {
  /// True from 1 and `OK`, false from 0 and null.
  public init(redis value: RedisValue) throws(RedisError) {
    switch value {
    case 1, "1", "OK": self = true
    case 0, "0", .null: self = false
    default: throw RedisError(.unexpectedReply, reason: "expected 0 or 1, got \(value.kind)")
    }
  }
}

extension Optional: RedisDecodable where Wrapped: RedisDecodable {
  public init(redis value: RedisValue) throws(RedisError) {
    self = value.isNull ? nil : try Wrapped(redis: value)
  }
}

extension Array: RedisDecodable where Element: RedisDecodable {
  /// An array of `UInt8` takes the bytes of a string.
  public init(redis value: RedisValue) throws(RedisError) {
    if Element.self == UInt8.self, let bytes = value.bytes as? [Element] {
      self = bytes
      return
    }
    self = []
    for element in try value.required(value.array, "an array") {
      append(try Element(redis: element))
    }
  }
}

extension UInt8: RedisDecodable {
  public init(redis value: RedisValue) throws(RedisError) {
    self = try value.required(value.integer.flatMap { UInt8(exactly: $0) }, "an integer to 255")
  }
}

extension Dictionary: RedisDecodable where Key == String, Value: RedisDecodable {
  /// From the flat list of names and values that `HGETALL` and `CONFIG GET` answer.
  public init(redis value: RedisValue) throws(RedisError) {
    let elements = try value.required(value.array, "an array of pairs")
    guard elements.count.isMultiple(of: 2) else {
      throw RedisError(
        .unexpectedReply, reason: "expected an array of pairs, got \(value.kind)")
    }
    self = Dictionary(minimumCapacity: elements.count / 2)
    for index in stride(from: 0, to: elements.count, by: 2) {
      let name = try String(redis: elements[index])
      do {
        self[name] = try Value(redis: elements[index + 1])
      } catch {
        throw RedisError(.unexpectedReply, reason: "field \(name): \(error.reason)")
      }
    }
  }
}

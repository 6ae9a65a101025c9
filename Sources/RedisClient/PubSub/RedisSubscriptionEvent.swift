/// A published message.
public struct RedisMessage: Sendable, Hashable {
  public let channel: String
  public let payload: [UInt8]

  /// The payload as text; nil when it is not UTF-8.
  public var text: String? { String(validating: payload, as: UTF8.self) }

  /// From the array `message`, channel, payload; nil for anything else.
  init?(_ parts: [RedisValue]) {
    guard parts.count == 3, let channel = parts[1].bytes, let payload = parts[2].bytes
    else { return nil }
    self.channel = String(decoding: channel, as: UTF8.self)
    self.payload = payload
  }
}

/// What a subscriber learns. Redis keeps no messages, so a subscriber that must not miss a change
/// looks at the data itself after the last two.
public enum RedisSubscriptionEvent: Sendable, Hashable {
  case message(RedisMessage)
  /// The reader was too slow: this many messages, older than those that follow, are gone.
  case dropped(Int)
  /// The connection was lost and is back; what was published meanwhile is gone.
  case reconnected
}

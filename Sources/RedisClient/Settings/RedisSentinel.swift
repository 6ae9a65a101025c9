/// How to use Redis Sentinel, where ``RedisConfiguration/endpoints`` are Sentinels.
///
/// Without any of this a Sentinel is recognised as well, and used with the credentials of Redis if it
/// wants them.
public struct RedisSentinel: Sendable {
  /// The name under which the Sentinels watch the primary. Nil for `mymaster`, or if there is none of
  /// that name, the first by name.
  public var primaryName: String?

  /// Login to the Sentinels themselves; nil for that of Redis.
  public var username: String?
  public var password: String?

  public init(primaryName: String? = nil, username: String? = nil, password: String? = nil) {
    self.primaryName = primaryName
    self.username = username
    self.password = password
  }

  /// Whether the endpoints are said to be Sentinels.
  var isGiven: Bool { primaryName != nil || password != nil }
}

/// How to reach Redis and what to allow it.
public struct RedisConfiguration: Sendable {
  /// Redis or its Sentinels, in order of preference. Each is asked what it is; of several, those that
  /// are away or slow are passed over.
  public var endpoints: [RedisEndpoint]

  public var sentinel = RedisSentinel()

  /// Nil means the `default` user.
  public var username: String?
  public var password: String?

  /// The number given to `SELECT`.
  public var database = 0

  /// Nil for plain TCP. There is no way to use TLS without verifying the server.
  public var tls: RedisTLS?

  /// Shown by `CLIENT LIST`.
  public var clientName: String?

  /// Time a command may take, its wait for a connection included, unless the call says otherwise.
  public var commandTimeout: Duration = .seconds(10)

  /// Time for one attempt to connect: TCP, TLS, login and the first reply together.
  public var connectTimeout: Duration = .seconds(5)

  /// The longest pause between two attempts to connect (`REDIS_TIMEOUT`). The first retry is
  /// immediate, later ones wait longer each time up to this, with jitter. Behind Sentinels it is half
  /// a second at most, since another server may take over at any moment.
  public var reconnectDelayLimit: Duration = .seconds(3)

  /// Commands that may wait for a connection or a reply at the same time.
  public var pendingLimit = 100_000

  public var limits = ReplyLimits()

  public init(endpoints: [RedisEndpoint]) {
    self.endpoints = endpoints
  }

  public init(host: String, port: Int = 6379) {
    self.init(endpoints: [RedisEndpoint(host: host, port: port)])
  }
}

extension RedisConfiguration: CustomStringConvertible, CustomReflectable {
  /// The addresses, user and database, without the password.
  public var description: String {
    let addresses = endpoints.map(\.description).joined(separator: ",")
    return "\(tls == nil ? "redis" : "rediss")://\(username ?? "default")@\(addresses)/\(database)"
  }

  /// Keeps `dump` and failed expectations from printing the password.
  public var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}

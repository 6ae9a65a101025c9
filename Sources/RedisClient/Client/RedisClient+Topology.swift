/// The servers a client deals with.
public struct RedisTopology: Sendable, Hashable {
  /// Where commands go; nil while there is no connection.
  public let primary: RedisEndpoint?
  /// The name under which Sentinels watch it; nil where there are none.
  public let sentinelName: String?
  /// The Sentinels that are known; empty where there are none.
  public let sentinels: [RedisEndpoint]
}

extension RedisClient {
  /// The servers as they are known now. Nothing is sent.
  public var topology: RedisTopology {
    let usesSentinels = discovery.usesSentinels
    return RedisTopology(
      primary: discovery.current, sentinelName: usesSentinels ? discovery.primaryName : nil,
      sentinels: usesSentinels ? discovery.addresses : [])
  }
}

/// Is told what a client does, for metrics. Its functions are called in the middle of things: they
/// must return at once.
public protocol RedisObserver: Sendable {
  /// A command ended. A pipeline is reported once, by its first command's name.
  ///
  /// - Parameters:
  ///   - name: the command's name as it was given.
  ///   - duration: from the call to its end, waiting for a connection included.
  ///   - error: nil when the server answered without an error.
  func commandEnded(_ name: String, duration: Duration, error: (any Error)?)

  /// The connection for commands came up, or was lost for the reason given.
  func connectionChanged(_ state: RedisConnectionState)
}

/// Whether commands have a connection.
public enum RedisConnectionState: Sendable {
  case connected(RedisEndpoint)
  case disconnected(RedisError)
}

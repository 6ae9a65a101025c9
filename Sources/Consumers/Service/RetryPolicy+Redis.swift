import RedisClient
import Retrying

extension RetryPolicy {
  /// For what must reach Redis in the end. The client waits for a connection by itself; this adds
  /// what it gives up on.
  static let untilRedisIsBack = RetryPolicy(
    name: "redis", base: .milliseconds(100), cap: .seconds(5), jitter: .equal)
}

extension RedisError {
  /// Whether a script that may be called twice is worth another try.
  var mayPass: Bool { isRetryable || outcomeUnknown }
}

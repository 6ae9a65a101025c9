import RedisClient

/// Lets a finished job's hash end, as every client does after it has the result.
enum JobExpiry {
  /// A shorter life, set by another client, stays; a job that is not final never gets one.
  private static let script = RedisScript(
    """
    local status = redis.call('HGET', KEYS[1], 'status')
    if status ~= 'done' and status ~= 'failed' then return 0 end
    local left = redis.call('TTL', KEYS[1])
    if left >= 0 and left <= tonumber(ARGV[1]) then return 0 end
    return redis.call('EXPIRE', KEYS[1], ARGV[1])
    """)

  /// - Parameter seconds: 0 changes nothing.
  static func set(_ key: String, seconds: Int, _ redis: RedisClient) async throws {
    guard seconds > 0 else { return }
    try await redis.eval(script, keys: [key], arguments: [seconds], idempotent: true)
  }
}

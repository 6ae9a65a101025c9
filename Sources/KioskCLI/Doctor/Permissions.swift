import JobQueue
import RedisClient

/// Whether the user may do what consumers and their scripts do. Nothing of it is done.
struct Permissions {
  let redis: RedisClient
  let queues: [String]

  /// Commands without keys.
  private static let plain = ["EVAL", "EVALSHA", "SCAN", "TIME"]
  /// Commands whose first argument is a key.
  private static let keyed = [
    "BLMOVE", "DEL", "EXISTS", "EXPIRE", "GET", "HDEL", "HGET", "HGETALL", "HINCRBY", "HLEN",
    "HMGET", "HSET", "LINDEX", "LLEN", "LMOVE", "LPOS", "LPUSH", "LRANGE", "LREM", "PERSIST",
    "RPOP", "RPUSH", "SADD", "SCARD", "SET", "SISMEMBER", "SPOP", "SRANDMEMBER", "SREM", "TTL",
    "TYPE", "XADD", "XLEN", "XRANGE", "XREVRANGE", "ZADD", "ZCARD", "ZCOUNT", "ZRANDMEMBER",
    "ZRANGE", "ZRANGEBYSCORE", "ZREM", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE", "ZSCORE",
  ]
  /// Commands whose first argument is a channel.
  private static let channeled = ["PUBLISH", "SUBSCRIBE"]

  /// All that is asked for.
  static let commands = plain + keyed + channeled

  /// Replies with what is denied, or nil where the server is too old to say.
  private static let script = RedisScript(
    """
    if not redis.acl_check_cmd then return false end
    local plain, keyed, channel, key = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
    local first, last = 6, 5 + tonumber(ARGV[5])
    local denied, keys = {}, {}
    local function may(name, ...)
      local known, answer = pcall(redis.acl_check_cmd, name, ...)
      return not known or answer
    end
    for i = first, last do
      local permitted
      if i < first + plain then
        permitted = may(ARGV[i], '1', '0')
      elseif i < first + plain + keyed then
        permitted = may(ARGV[i], key, key, '1', '1')
      else
        permitted = may(ARGV[i], channel)
      end
      if not permitted then denied[#denied + 1] = ARGV[i] end
    end
    for i = last + 1, #ARGV do
      if not may('LMOVE', ARGV[i], ARGV[i], 'LEFT', 'LEFT') then keys[#keys + 1] = ARGV[i] end
    end
    return {denied, keys}
    """)

  /// - Throws: ``RedisError`` when Redis does not answer; `CancellationError`.
  func findings() async throws -> [Finding] {
    let names = queues.flatMap { [$0, Keys.processing(queue: $0, worker: "any")] }
    let commands = Self.commands
    // None of the keys is given as such: a script with keys that are denied is not run at all.
    let head = [
      String(Self.plain.count), String(Self.keyed.count), Keys.cancellations(in: "any"),
      Keys.control(of: "any"), String(commands.count),
    ]
    let reply: RedisValue
    do {
      reply = try await redis.eval(
        Self.script, arguments: head + commands + names, idempotent: true)
    } catch let error as RedisError where error.code == .rejected {
      // The finding about scripts says why.
      return []
    }
    guard let parts = reply.array, parts.count == 2 else { return [] }
    let denied = (parts[0].array ?? []).compactMap(\.string)
    let hidden = (parts[1].array ?? []).compactMap(\.string)
    return [
      denied.isEmpty
        ? Finding(.ok, "commands", "\(commands.count) permitted")
        : Finding(
          .fail, "commands", "denied: " + denied.sorted().joined(separator: ", "),
          hint: "permit them to this user (ACL SETUSER), with the keys kiosk:* and the channels "
            + "kiosk:cancel:*: scripts that are stopped halfway are not rolled back"),
      hidden.isEmpty
        ? nil
        : Finding(
          .fail, "keys", "denied: " + hidden.prefix(6).joined(separator: ", "),
          hint: "permit reading and writing them to this user, and the jobs' own keys"),
    ].compactMap { $0 }
  }
}

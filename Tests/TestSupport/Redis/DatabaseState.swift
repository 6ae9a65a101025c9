import RedisClient

/// All keys of a database with what they hold, to put back or to compare.
public struct DatabaseState: Sendable, Equatable {
  private struct Entry: Sendable, Equatable {
    let dump: [UInt8]
    /// Milliseconds; 0 for none.
    let timeToLive: Int
  }

  private var entries: [String: Entry] = [:]

  private static let readScript = RedisScript(
    """
    local result = {}
    for _, name in ipairs(redis.call('KEYS', '*')) do
      result[#result + 1] = name
      result[#result + 1] = redis.call('DUMP', name)
      result[#result + 1] = math.max(0, redis.call('PTTL', name))
    end
    return result
    """)
  private static let restoreScript = RedisScript(
    """
    redis.call('FLUSHDB')
    for i = 1, #KEYS do redis.call('RESTORE', KEYS[i], ARGV[2 * i], ARGV[2 * i - 1]) end
    """)

  public static func read(_ redis: RedisClient) async throws -> DatabaseState {
    let parts = try await redis.eval(readScript).array ?? []
    var state = DatabaseState()
    for index in stride(from: 2, to: parts.count, by: 3) {
      guard let name = parts[index - 2].string, let dump = parts[index - 1].bytes,
        let time = parts[index].integer
      else { throw TestSupportError("the state of a database cannot be read") }
      state.entries[name] = Entry(dump: dump, timeToLive: time)
    }
    return state
  }

  /// Makes the database hold this and nothing else.
  public func restore(to redis: RedisClient) async throws {
    let keys = entries.keys.sorted()
    var arguments: [any RedisArgument] = []
    for entry in keys.compactMap({ entries[$0] }) {
      arguments += [entry.dump, entry.timeToLive] as [any RedisArgument]
    }
    try await redis.eval(Self.restoreScript, keys: keys, arguments: arguments)
  }

  public var keys: [String] { entries.keys.sorted() }

  /// Keys that hold something else than in another state, or live for ever in one of them alone.
  public func differences(from other: DatabaseState) -> [String] {
    Set(entries.keys).union(other.entries.keys).filter { key in
      guard let mine = entries[key], let its = other.entries[key] else { return true }
      return mine.dump != its.dump || (mine.timeToLive == 0) != (its.timeToLive == 0)
    }.sorted()
  }
}

import RedisClient
import TestSupport
import Testing

@Suite struct RoundTripTests {
  @Test(.redisServer, arguments: 0..<4)
  func `random commands behave as on a model of Redis`(block: Int) async throws {
    let redis = try #require(RedisServer.connection)
    try await withThrowingTaskGroup { group in
      for seed in (block * 50)..<(block * 50 + 50) {
        group.addTask { try await checkHashAndList(seed: seed, redis) }
      }
      try await group.waitForAll()
    }
  }

  /// Writes random fields and elements and compares what comes back.
  private func checkHashAndList(seed: Int, _ redis: RedisClient) async throws {
    var random = SeededGenerator(seed: seed)
    var hash: [[UInt8]: [UInt8]] = [:]
    var list: [[UInt8]] = []
    for _ in 0..<Int.random(in: 1...10, using: &random) {
      let key = random.bytes(Int.random(in: 0...3, using: &random))
      let value = random.bytes(Int.random(in: 0...3000, using: &random))
      if Bool.random(using: &random) {
        try await redis.command("HSET", "hash\(seed)", key, value)
        hash[key] = value
      } else {
        let length = try await redis.command("RPUSH", "list\(seed)", value)
        list.append(value)
        #expect(length == .integer(list.count), "seed \(seed)")
      }
    }
    let fields = try await redis.command("HGETALL", "hash\(seed)").array ?? []
    var read: [[UInt8]: [UInt8]] = [:]
    for index in stride(from: 0, to: fields.count, by: 2) {
      read[try fields[index].decode()] = try fields[index + 1].decode([UInt8].self)
    }
    #expect(read == hash, "seed \(seed)")
    let elements: [[UInt8]] = try await redis.command("LRANGE", "list\(seed)", 0, -1).decode()
    #expect(elements == list, "seed \(seed)")
  }
}

import RedisClient
import TestSupport
import Testing

@Suite struct SubscriptionTests {
  /// Publishes numbers, and waits until each was taken by a subscriber's connection.
  private func publish(_ range: Range<Int>, _ redis: RedisClient) async throws {
    let replies = try await redis.pipeline(range.map { RedisCommand("PUBLISH", "news", $0) })
    #expect(replies.allSatisfy { $0 == 1 })
  }

  @Test(.redisServer) func `messages arrive in order`() async throws {
    let redis = try #require(RedisServer.connection)
    try await redis.withSubscription(to: ["other", "news"]) { events in
      try await publish(0..<500, redis)
      var reader = events.makeAsyncIterator()
      for number in 0..<500 {
        guard case .message(let message) = try await reader.next() else {
          Issue.record("message \(number) is missing")
          return
        }
        #expect(message.channel == "news")
        #expect(message.text == "\(number)")
      }
      try await redis.command("PUBLISH", "other", [0xff, 0x00] as [UInt8])
      let last = try await reader.next()
      guard case .message(let message) = last else {
        Issue.record("the last message is missing")
        return
      }
      #expect(message.payload == [0xff, 0])
      #expect(message.text == nil)
    }
    try await eventually("nobody is subscribed") {
      try await redis.command("PUBSUB", "NUMSUB", "news") == ["news", 0]
    }
  }

  @Test(.redisServer) func `a slow reader learns how much it lost`() async throws {
    let redis = try #require(RedisServer.connection)
    try await redis.withSubscription(to: ["news", "end"], bufferLimit: 10) { events in
      try await publish(0..<100, redis)
      // Another subscriber that has the last message shows that the server sent all of them.
      try await redis.withSubscription(to: ["end"]) { other in
        try await redis.command("PUBLISH", "end", "")
        for try await _ in other { break }
      }
      try await Task.sleep(for: .milliseconds(100))
      var dropped = 0
      var texts: [String] = []
      for try await event in events {
        switch event {
        case .dropped(let count): dropped += count
        case .message(let message) where message.channel == "end":
          #expect(dropped + texts.count == 100)
          #expect(texts.last == "99")
          #expect(texts.count < 100)
          return
        case .message(let message): texts.append(message.text ?? "")
        case .reconnected: Issue.record("the connection was not lost")
        }
      }
    }
  }

  @Test(.redisServer) func `a subscriber is told when the connection was lost`() async throws {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    try await redis.withSubscription(to: ["news"]) { events in
      try await publish(0..<1, redis)
      try await server.restart()
      var reader = events.makeAsyncIterator()
      guard case .message = try await reader.next() else {
        Issue.record("the first message is missing")
        return
      }
      #expect(try await reader.next() == .reconnected)
      try await publish(1..<2, redis)
      guard case .message(let message) = try await reader.next() else {
        Issue.record("the second message is missing")
        return
      }
      #expect(message.text == "1")
    }
  }

  @Test(.redisServer) func `a forbidden channel is an error`() async throws {
    let admin = try #require(RedisServer.connection)
    try await admin.command("ACL", "SETUSER", "kiosk", "on", ">x", "+@all", "resetchannels", "&a")
    var configuration = try #require(RedisServer.current).configuration
    configuration.username = "kiosk"
    configuration.password = "x"
    try await RedisClient.withClient(configuration) { redis in
      let error = await #expect(throws: RedisError.self) {
        try await redis.withSubscription(to: ["b", "a", "c"]) { _ in }
      }
      #expect(error?.serverCode == "NOPERM")
      try await redis.withSubscription(to: ["a"]) { _ in }
    }
  }

  @Test(.redisServer) func `reading can be cancelled`() async throws {
    let redis = try #require(RedisServer.connection)
    let subscriber = Task {
      try await redis.withSubscription(to: ["news"]) { events in
        for try await _ in events {}
      }
    }
    try await eventually("somebody is subscribed") {
      try await redis.command("PUBSUB", "NUMSUB", "news") == ["news", 1]
    }
    subscriber.cancel()
    await #expect(throws: CancellationError.self) { try await subscriber.value }
    try await eventually("nobody is subscribed") {
      try await redis.command("PUBSUB", "NUMSUB", "news") == ["news", 0]
    }
  }
}

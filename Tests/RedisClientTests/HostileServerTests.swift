import RedisClient
import TestSupport
import Testing

@Suite struct HostileServerTests {
  /// What a server sends in place of a reply, after a correct login.
  static let replies: [(text: String, reason: String)] = [
    ("!nonsense\r\n", "Protocol error"),
    ("HTTP/1.1 400 Bad Request\r\n\r\n", "Protocol error"),
    (String(repeating: "*1\r\n", count: 9) + "+x\r\n", "nested"),
    ("$9223372036854775807\r\n", "announced length"),
    ("$99999999999999999999999\r\n", "length"),
    ("$268435457\r\n", "announced length"),
    ("$" + String(repeating: "1", count: 40), "a length has no end"),
    ("*" + String(repeating: "1", count: 40), "a length has no end"),
    ("*2147483647\r\n", "elements"),
    ("*9223372036854775807\r\n", ""),
    ("*-7\r\n", ""),
    ("$-7\r\n", ""),
    ("$3\r\nabcde", "does not end"),
    ("+" + String(repeating: "x", count: 1 << 20), "a line is over"),
    ("-" + String(repeating: "x", count: 70_000), "a line is over"),
    (":" + String(repeating: "1", count: 70_000), "a line is over"),
    (":12x\r\n", ""),
    ("%1\r\n+a\r\n+b\r\n", ""),
    ("_\r\n", "Protocol error"),
    ("", "the server closed it"),
  ]

  @Test(arguments: replies.indices)
  func `a senseless reply is an error and not a crash`(index: Int) async throws {
    let reply = Self.replies[index]
    let listener = try await TestListener.answering { _, received in
      if let answer = ListenerAnswer.toPing(received) { return answer }
      return reply.text.isEmpty ? .close : .send(reply.text)
    }
    let configuration = RedisConfiguration(host: "127.0.0.1", port: listener.port)
    try await RedisClient.withClient(configuration) { redis in
      let error = await #expect(throws: RedisError.self) {
        try await redis.send(RedisCommand("GET", "key"), timeout: .seconds(20))
      }
      #expect(error?.code == (reply.text.isEmpty ? .connectionLost : .protocolViolation))
      #expect(error?.outcomeUnknown == true)
      #expect(
        error.map { $0.reason.contains(reply.reason) } == true || reply.reason.isEmpty,
        "\(error?.reason ?? "")")
      // The next command has a new connection.
      try await redis.command("PING")
    }
  }

  @Test func `a reply nobody asked for ends the connection`() async throws {
    let listener = try await TestListener.answering { _, _ in
      .send("+PONG\r\n-ERR unknown command 'ROLE'\r\n+more\r\n")
    }
    let configuration = RedisConfiguration(host: "127.0.0.1", port: listener.port)
    // The login's reply is followed by the other, so no connection lasts.
    #expect(await failure(configuration, timeout: .milliseconds(300)) != nil)
  }

  @Test func `a server that hangs up is not asked without pauses`() async throws {
    let counter = Watched(0)
    let listener = try await TestListener.answering { connection, _ in
      Task { await counter.update { $0 = max($0, connection + 1) } }
      return .close
    }
    var configuration = RedisConfiguration(host: "127.0.0.1", port: listener.port)
    configuration.reconnectDelayLimit = .seconds(1)
    let error = await failure(configuration, timeout: .milliseconds(700))
    #expect(error?.code == .connectionFailed)
    // With pauses of 0, 25...50, 50...100, 100...200, 200...400 ms.
    #expect(await counter.value < 10)
  }

  @Test func `replies within the limits pass and beyond them do not`() async throws {
    let listener = try await TestListener.answering { _, received in
      if let answer = ListenerAnswer.toPing(received) { return answer }
      let text = String(decoding: received, as: UTF8.self)
      if text.contains("ECHO") { return .send("*2\r\n$3\r\nabc\r\n$2\r\nde\r\n") }
      if text.contains("GET") { return .send("*2\r\n$3\r\nabc\r\n$3\r\ndef\r\n") }
      return .send("*3\r\n:1\r\n*1\r\n:2\r\n:3\r\n")
    }
    var configuration = RedisConfiguration(host: "127.0.0.1", port: listener.port)
    configuration.limits = ReplyLimits(bytes: 5, elements: 4)
    try await RedisClient.withClient(configuration) { redis in
      let reply = try await redis.command("ECHO")
      #expect(reply == ["abc", "de"])
      for name in ["GET", "LRANGE"] {
        let error = await #expect(throws: RedisError.self) { try await redis.command(name) }
        #expect(error?.code == .protocolViolation)
      }
    }
  }
}

import RedisClient
import Synchronization
import TestSupport
import Testing

@Suite struct ObserverTests {
  private final class Recorder: RedisObserver {
    let events = Mutex<[String]>([])

    func commandEnded(_ name: String, duration: Duration, error: (any Error)?) {
      events.withLock { $0.append("\(name) \(error == nil ? "ok" : "failed") \(duration > .zero)") }
    }

    func connectionChanged(_ state: RedisConnectionState) {
      switch state {
      case .connected: events.withLock { $0.append("connected") }
      case .disconnected: events.withLock { $0.append("disconnected") }
      }
    }
  }

  @Test(.redisServer) func `an observer learns of commands and connections`() async throws {
    let recorder = Recorder()
    let server = try #require(RedisServer.current)
    let redis = RedisClient(server.configuration, observer: recorder)
    let running = Task { await redis.run() }
    try await redis.command("SET", "a", "b")
    _ = try? await redis.command("INCR", "a")
    try await redis.pipeline([RedisCommand("GET", "a"), RedisCommand("GET", "b")])
    try await redis.blocking(RedisCommand("BLPOP", "q", 0.01), timeout: .seconds(20))
    running.cancel()
    await running.value
    #expect(
      recorder.events.withLock { $0 } == [
        "connected", "SET ok true", "INCR failed true", "GET ok true", "BLPOP ok true",
        "disconnected",
      ])
  }

  @Test(.redisServer(.password("hunter2"))) func `logs carry no secrets and no arguments`()
    async throws
  {
    let log = RecordedLog()
    let server = try #require(RedisServer.current)
    try await RedisClient.withClient(server.configuration, logger: log.logger) { redis in
      try await redis.command("SET", "key", "value4711")
      try await server.restart()
      try await redis.send(RedisCommand("PING", idempotent: true))
    }
    var wrong = server.configuration
    wrong.password = "hunter2+"
    await RedisClient.withClient(wrong, logger: log.logger) { redis in
      _ = await #expect(throws: RedisError.self) { try await redis.command("PING") }
    }
    let text = log.text
    #expect(text.contains("WRONGPASS"))
    #expect(!text.contains("hunter2"))
    #expect(!text.contains("4711"))
  }
}

import RedisClient
import Testing

@Suite struct SettingsTests {
  @Test func `hosts are read with and without ports`() throws {
    let endpoints = try RedisEndpoint.list(
      "redis-master, 10.0.0.1:26379,::1,[fe80::1]:7000,[::2]", defaultPort: 6379)
    #expect(
      endpoints.map(\.description) == [
        "redis-master:6379", "10.0.0.1:26379", "[::1]:6379", "[fe80::1]:7000", "[::2]:6379",
      ])
  }

  @Test(arguments: ["", "a,", "a:", ":1", "a:b", "a:0", "a:65536", "[::1", "[::1]x", "http://a"])
  func `unusable hosts are refused`(text: String) {
    let error = #expect(throws: RedisError.self) {
      try RedisEndpoint.list(text, defaultPort: 6379)
    }
    #expect(error?.code == .invalidConfiguration)
  }

  @Test func `a configuration never shows its password`() {
    var configuration = RedisConfiguration(host: "localhost")
    configuration.username = "kiosk"
    configuration.password = "hunter2"
    var dumped = ""
    dump(configuration, to: &dumped)
    dump(RedisClient(configuration).configuration, to: &dumped)
    #expect(!"\(configuration) \(String(reflecting: configuration)) \(dumped)".contains("hunter2"))
    #expect("\(configuration)" == "redis://kiosk@localhost:6379/0")
  }

  @Test func `a client that does not run says so`() async {
    let redis = RedisClient(RedisConfiguration(host: "localhost"))
    let error = await #expect(throws: RedisError.self) {
      try await redis.send(RedisCommand("PING"), timeout: .milliseconds(50))
    }
    #expect(error?.reason == "the client's run() has not connected yet")
  }
}

import Logging
import RedisClient
import Retrying
import TestSupport
import Testing

@testable import Callbacks
@testable import CurlClient

/// An outbox in the server of the running test, filled as the scripts that end jobs do.
struct Outbox {
  let redis: RedisClient

  init() throws { redis = try #require(RedisServer.connection) }

  var outbox: CallbackOutbox { CallbackOutbox(redis) }

  /// Notes that a job is done.
  ///
  /// - Returns: the id.
  @discardableResult
  func add(_ url: String, job: String = "predict:a.tif:1", tries: Int = 0) async throws -> String {
    let id = "\(job):done"
    try await redis.pipeline([
      RedisCommand("DEL", "kiosk:out:\(id)"),
      RedisCommand(
        "HSET", "kiosk:out:\(id)", "url", url, "event", "done", "job", job, "queue", "predict",
        "status", "done", "at", "2026-11-21T01:39:15.430173+00:00", "output_url",
        "https://bucket/a.zip", "reason", "", "error_code", "", "tries", tries),
      RedisCommand("EXPIRE", "kiosk:out:\(id)", 604_800),
      RedisCommand("ZADD", "kiosk:out", 0, id),
    ])
    return id
  }

  func hash(_ id: String) async throws -> [String: String] {
    try await redis.command("HGETALL", "kiosk:out:\(id)").decode()
  }

  func waiting() async throws -> [String] {
    try await redis.command("ZRANGE", "kiosk:out", 0, -1).decode()
  }

  func dead() async throws -> [String] {
    try await redis.command("ZRANGE", "kiosk:out-dead", 0, -1).decode()
  }

  /// Milliseconds until a callback is due.
  func delay(_ id: String) async throws -> Double {
    let due: Double = try await redis.command("ZSCORE", "kiosk:out", id).decode()
    let time: [Int] = try await redis.command("TIME").decode()
    return due - Double(time[0]) * 1000 - Double(time[1]) / 1000
  }

  /// All keys that callbacks have.
  func keys() async throws -> [String] {
    try await redis.command("KEYS", "kiosk:out*").decode()
  }

  /// Looks often, retries at once, and may call this machine.
  func settings(
    _ change: (inout CallbackSettings) throws -> Void = { _ in }
  ) throws -> CallbackSettings {
    var settings = CallbackSettings(addresses: try AddressGuard(except: ["127.0.0.0/8"]))
    settings.interval = .milliseconds(20)
    settings.retries = RetryPolicy(base: .zero, cap: .zero)
    settings.timeout = .seconds(20)
    try change(&settings)
    return settings
  }

  /// Sends callbacks while `body` runs.
  func delivering<Value: Sendable>(
    _ settings: CallbackSettings, _ body: (CallbackDeliverer) async throws -> Value
  ) async throws -> Value {
    let deliverer = CallbackDeliverer(
      redis, settings: settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    // Leaving the scope cancels it and waits for it.
    async let _ = deliverer.run()
    return try await body(deliverer)
  }

  /// Sends callbacks until none is left to be sent.
  func deliverAll(_ settings: CallbackSettings) async throws {
    try await delivering(settings) { _ in
      try await eventually("all callbacks are sent") {
        try await redis.command("ZCARD", "kiosk:out") == 0
      }
    }
  }
}

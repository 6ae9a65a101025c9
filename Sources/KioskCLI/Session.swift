import Buckets
import JobQueue
import Logging
import RedisClient
import ServiceSetup
import Settings
import Telemetry

/// Redis and the bucket, as flags and environment name them.
struct Session: Sendable {
  let redis: RedisClient
  private let values: SettingValues
  private let location: BucketLocation

  /// For a person in front of a terminal: shorter than what services allow each other.
  private static let connectTimeout: Duration = .seconds(5)

  /// Connects and runs `body`.
  ///
  /// - Throws: ``KioskError`` `usage` for settings that cannot work, `cannotConnect` when Redis does
  ///   not answer; and whatever `body` throws.
  static func run<Result>(
    _ options: ConnectionOptions, _ body: (Session) async throws -> Result
  ) async throws -> Result {
    var values = SettingValues(
      flags: options.settings, environment: ProcessEnvironment.variables)
    let configuration = values.redisConfiguration(clientName: "kiosk")
    let location = values.bucketLocation()
    // Settings of the daemon's other parts may be wrong without harm here.
    let problems = values.problems.filter { $0.hasPrefix("REDIS_") || $0.hasPrefix("STORAGE_") }
    guard problems.isEmpty, let configuration, let location else {
      throw KioskError(.usage, problems.joined(separator: "\n"))
    }
    return try await RedisClient.withClient(configuration) { redis in
      try await redis.send(RedisCommand("PING", idempotent: true), timeout: connectTimeout)
      return try await body(Session(redis: redis, values: values, location: location))
    }
  }

  /// - Throws: ``KioskError`` `cannotConnect`.
  func openBucket() throws -> any Bucket {
    do { return try values.openBucket(at: location) } catch {
      throw KioskError(.cannotConnect, "\(error)")
    }
  }

  /// What jobs carry as their submitter.
  var submitter: String { values.text("HOSTNAME") ?? ProcessEnvironment.defaultWorkerName }
}

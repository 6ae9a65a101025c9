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
  /// How queues are to be treated: as their consumers do.
  let delivery: DeliverySettings
  private let values: SettingValues
  /// Nil for commands that need no bucket, where it may be anything.
  private let location: BucketLocation?

  /// For a person in front of a terminal: shorter than what services allow each other.
  private static let connectTimeout: Duration = .seconds(5)
  private static let patience: Duration = .seconds(20)
  /// The same where what fails is the answer.
  private static let examinationPatience: Duration = .seconds(5)

  /// Connects and runs `body`.
  ///
  /// - Throws: ``KioskError`` `usage` for settings that cannot work, `cannotConnect` when Redis does
  ///   not answer; and whatever `body` throws.
  static func run<Result>(
    _ options: ConnectionOptions, _ body: (Session) async throws -> Result
  ) async throws -> Result {
    try await run(options.settings, needsBucket: true, body)
  }

  /// The same whatever is wrong with the bucket.
  static func runExamination<Result>(
    _ options: ConnectionOptions, _ body: (Session) async throws -> Result
  ) async throws -> Result {
    try await run(options.settings, needsBucket: false, body)
  }

  /// The same without a bucket.
  static func run<Result>(
    _ options: RedisOptions, _ body: (Session) async throws -> Result
  ) async throws -> Result {
    try await run(options.settings, needsBucket: false, body)
  }

  private static func run<Result>(
    _ settings: [String: String], needsBucket: Bool, _ body: (Session) async throws -> Result
  ) async throws -> Result {
    var values = SettingValues(flags: settings, environment: ProcessEnvironment.variables)
    let configuration = values.redisConfiguration(clientName: "kiosk")
    let location = needsBucket ? values.bucketLocation() : nil
    let delivery = DeliverySettings(from: &values)
    // Settings of the daemon's other parts may be wrong without harm here.
    let prefixes =
      ["REDIS_"] + (needsBucket ? ["STORAGE_", "AWS_", "GOOGLE_"] : [])
      + SettingsTable.delivery.map { $0.name + ":" }
    let problems = values.problems.filter { problem in prefixes.contains { problem.hasPrefix($0) } }
    guard problems.isEmpty, let configuration, let delivery, !needsBucket || location != nil else {
      throw KioskError(.usage, problems.joined(separator: "\n"))
    }
    return try await RedisClient.withClient(configuration) { redis in
      try await redis.send(RedisCommand("PING", idempotent: true), timeout: connectTimeout)
      return try await body(
        Session(
          redis: redis, delivery: delivery, values: values, location: location))
    }
  }

  /// - Throws: ``KioskError`` `usage` for settings that cannot be used, `cannotConnect`.
  func openBucket() throws -> any Bucket {
    guard let location else { preconditionFailure("this command asked for no bucket") }
    do {
      return try values.openBucket(at: location, patience: Self.patience)
    } catch let error as BucketError where error.isOfSettings {
      throw KioskError(.usage, "\(error)")
    } catch {
      throw KioskError(.cannotConnect, "\(error)")
    }
  }

  /// Certificates that the bucket's is checked with, besides the system's.
  var authorityFile: String? { values.authorityFile }

  /// The bucket for an examination, where its settings are also what is examined.
  ///
  /// - Throws: ``KioskError`` `usage` with a line for each setting that cannot be used.
  func openExaminedBucket() throws -> any Bucket {
    var values = values
    let location = values.bucketLocation()
    let names = Set((SettingsTable.storage + SettingsTable.s3 + SettingsTable.google).map(\.name))
    let problems = values.problems.filter { problem in
      names.contains(String(problem.prefix { $0 != ":" }))
    }
    guard problems.isEmpty, let location else {
      throw KioskError(.usage, problems.joined(separator: "\n"))
    }
    return try values.openBucket(at: location, patience: Self.examinationPatience)
  }

  /// A queue, to change it; its scripts write down who did.
  func queue(_ name: String) -> JobQueue {
    JobQueue(name: name, worker: submitter, redis: redis, settings: delivery)
  }

  /// What jobs carry as their submitter.
  var submitter: String { values.text("HOSTNAME") ?? ProcessEnvironment.defaultWorkerName }
}

import Foundation
import RedisClient
import TestSupport

/// The whole of it: starts everything, has rounds of chaos, ends everything.
enum ChaosRun {
  /// - Returns: whether all was as it must be.
  static func run(_ options: Options) async throws -> Bool {
    say("chaos: \(options.jobs) jobs, seed \(options.seed)")
    var settings = RedisCluster.Settings()
    settings.usesProxies = true
    settings.downAfter = .seconds(1)
    // What is answered has been written to the log; a killed process loses nothing of that.
    settings.arguments = [
      "--appendonly", "yes", "--appendfsync", "no", "--min-replicas-to-write", "1",
      "--min-replicas-max-lag", "10", "--maxmemory-policy", "noeviction",
      "--notify-keyspace-events", "Egh",
    ]
    let cluster = try await RedisCluster.start(settings)
    let outcome: Result<Bool, any Error>
    do {
      outcome = .success(
        try await RedisClient.withClient(cluster.configuration) { redis in
          try await run(options, cluster, redis)
        })
    } catch {
      outcome = .failure(error)
    }
    try await cluster.stop()
    return try outcome.get()
  }

  private static func run(
    _ options: Options, _ cluster: RedisCluster, _ redis: RedisClient
  ) async throws -> Bool {
    let start = ContinuousClock.now
    let bucket = try TemporaryFolder()
    let receiver = try await CallbackReceiver()
    let failures = Failures()
    let models = try await ModelServer.start()
    let fleet = try await Fleet.start(
      options.workers,
      environment: Stage.environment(
        cluster: cluster, bucket: bucket, receiver: receiver, models: models),
      failures: failures)
    let stage = Stage(options, cluster, redis, bucket: bucket, receiver, fleet, models, failures)

    var growth: Growth?
    var left = options.jobs
    var number = 0
    while left > 0, failures.isEmpty {
      let isCalm = number == 0
      let count = isCalm ? min(left, max(10, options.round / 10)) : min(left, options.round)
      let round = Round(stage: stage, number: number, jobs: count, isCalm: isCalm)
      try await round.run()
      say("round \(number): \(count) jobs, \(start.duration(to: .now).components.seconds) s")
      if !failures.isEmpty { await Report(round).printFailures() }
      try await round.clear()
      // The first rounds fill caches and pools.
      if growth == nil, !isCalm { growth = Growth(fleet.lasting) }
      left -= count
      number += 1
    }
    growth?.check(fleet.lasting, failures, stage.tally)
    await fleet.stop()
    try await models.stop()
    Report.printSummary(stage, duration: start.duration(to: .now))
    return failures.isEmpty
  }
}

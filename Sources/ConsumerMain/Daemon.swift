import Buckets
import CLinux
import Callbacks
import Consumers
import JobQueue
import Logging
import RedisClient
import ServiceSetup
import Serving
import Settings
import UnixSignals

/// Connects the parts, runs them and stops them in order.
struct Daemon {
  let configuration: ConsumerConfiguration
  private let values: SettingValues
  private let giveUp: @Sendable () -> Void
  let logger: Logger

  /// How long putting jobs back may take once the grace period is over.
  private static let releaseTimeout: Duration = .seconds(10)

  /// - Parameter giveUp: ends the process at once, with what it is to say of it written.
  init(
    _ configuration: ConsumerConfiguration, _ values: SettingValues,
    giveUp: @escaping @Sendable () -> Void
  ) {
    self.configuration = configuration
    self.giveUp = giveUp
    self.values = values
    var logger = Logger(label: "consumer")
    logger[metadataKey: "queue"] = "\(configuration.queue)"
    logger[metadataKey: "consumer_type"] = "\(configuration.settings.consumerType)"
    logger[metadataKey: "host"] = "\(configuration.worker)"
    self.logger = logger
  }

  /// - Returns: the exit code.
  func run() async -> Int32 {
    // Before anything else: from here on a stop is an orderly one.
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    do {
      let bucket = try values.openBucket(at: configuration.bucket)
      if let folder = bucket as? FolderBucket { await folder.removeStaleUploads() }
      try await examine(bucket)
      let redis = RedisClient(configuration.redis, logger: Logger(label: "redis"))
      let context = ConsumerContext(
        queue: JobQueue(
          name: configuration.queue, worker: configuration.worker, redis: redis,
          settings: configuration.delivery),
        bucket: bucket,
        models: ServingClient(
          configuration.serving,
          cache: RedisMetadataCache(redis: redis, expiry: configuration.serving.metadataExpiry),
          logger: Logger(label: "predict")),
        settings: configuration.settings, uploads: configuration.uploads,
        workFolder: try WorkFolder(in: configuration.temporaryFolder, logger: logger),
        logger: logger)
      let callbacks = CallbackDeliverer(redis, settings: configuration.callbacks)
      let bucketFacts = await describe(bucket)
      logger.info(
        "started",
        metadata: [
          "event": "started", "redis": "\(configuration.redis)",
          "bucket": "\(configuration.bucket)",
          "version": "\(Version.number)",
        ].merging(bucketFacts) { $1 })
      await serve(
        ConsumerService(
          configuration.type, context: context, slotCount: configuration.slots,
          version: Version.number,
          options: ServiceOptions(
            onHang: giveUp, onCallback: { callbacks.wake() },
            // What jobs left of the heap goes back to the system.
            onIdle: { malloc_trim(0) })),
        callbacks, redis, signals)
      await bucket.close()
      logger.info("stopped", metadata: ["event": "stopped"])
      return 0
    } catch let error as BucketError where error.isOfSettings {
      logger.critical("cannot start", metadata: ["event": "start_failed", "error": "\(error)"])
      return ConsumerMain.wrongSettings
    } catch {
      logger.critical("cannot start", metadata: ["event": "start_failed", "error": "\(error)"])
      return 1
    }
  }

  /// Runs the service until it is stopped by signals. Callbacks go after the jobs whose ends they tell,
  /// and Redis goes last: all need it.
  private func serve(
    _ service: ConsumerService, _ callbacks: CallbackDeliverer, _ redis: RedisClient,
    _ signals: UnixSignalsSequence
  ) async {
    await withTaskGroup { connections in
      connections.addTask { await redis.run() }
      connections.addTask { await warnOfRisks(redis) }
      await withTaskGroup { group in
        group.addTask {
          await withTaskGroup { helpers in
            helpers.addTask { await callbacks.run() }
            await service.run()
            helpers.cancelAll()
          }
          return true
        }
        group.addTask {
          await stopOnSignals(signals, service)
          return false
        }
        // The service ends by itself once it is drained; when the signals' task ends first, its
        // time is over.
        _ = await group.next()
        group.cancelAll()
      }
      connections.cancelAll()
    }
  }

  /// How long settings of Redis that endanger jobs are still worth a look.
  private static let adviceTimeout: Duration = .seconds(600)

  /// Warns once of what in Redis's settings endangers jobs, as soon as it is connected.
  private func warnOfRisks(_ redis: RedisClient) async {
    do {
      for sentence in try await redis.advice(timeout: Self.adviceTimeout) {
        logger.warning(
          "Redis may lose jobs", metadata: ["event": "redis_advice", "advice": "\(sentence)"])
      }
    } catch {
      // The connection's own messages say what is wrong with it.
      logger.debug("cannot check the settings of Redis", metadata: ["error": "\(error)"])
    }
  }

  /// First signal: drain. Second signal, or the end of the grace period: put back what is in work.
  private func stopOnSignals(
    _ signals: UnixSignalsSequence, _ service: ConsumerService
  ) async {
    let (drained, drain) = AsyncStream<Void>.makeStream()
    await withTaskGroup { group in
      group.addTask {
        var count = 0
        for await signal in signals {
          count += 1
          if count == 2 { return }
          logger.info(
            "stopping: no more jobs are taken",
            metadata: ["event": "draining", "signal": "\(signal)"])
          service.drain()
          drain.finish()
        }
      }
      group.addTask {
        for await _ in drained {}
        _ = try? await Task.sleep(for: configuration.shutdownTimeout)
      }
      await group.next()
      group.cancelAll()
    }
    if Task.isCancelled { return }
    logger.warning(
      "stopping: running jobs go back to the queue", metadata: ["event": "releasing"])
    service.stop()
    try? await Task.sleep(for: Self.releaseTimeout)
  }
}

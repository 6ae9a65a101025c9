import ChaosJobs
import Foundation
import JobQueue
import RedisClient
import TestSupport

/// Everything that a run has around it.
struct Stage: Sendable {
  let options: Options
  let cluster: RedisCluster
  /// Follows failovers, as everybody does.
  let redis: RedisClient
  let bucket: TemporaryFolder
  let receiver: CallbackReceiver
  let fleet: Fleet
  let models: ModelServer
  let tally = Tally()
  let failures: Failures
  let serverFaults: Deck<ServerFault>
  let workerFaults: Deck<WorkerFault>
  let peerFaults: Deck<PeerFault>

  init(
    _ options: Options, _ cluster: RedisCluster, _ redis: RedisClient, bucket: TemporaryFolder,
    _ receiver: CallbackReceiver, _ fleet: Fleet, _ models: ModelServer, _ failures: Failures
  ) {
    (self.options, self.cluster, self.redis, self.bucket) = (options, cluster, redis, bucket)
    (self.receiver, self.fleet, self.models) = (receiver, fleet, models)
    self.failures = failures
    let dice = Dice(seed: options.seed, "decks")
    serverFaults = Deck(ServerFault.allCases, dice)
    workerFaults = Deck(WorkerFault.deck, dice)
    peerFaults = Deck(PeerFault.deck, dice)
  }

  static let queues = ["work", ChaosNames.childQueue, ChaosNames.pictureQueue, "poison"]
  /// Crashes after which a job is given up.
  static let crashLimit = 3
  static let deadLetterLimit = 40

  static func queue(_ name: String, as worker: String, _ redis: RedisClient) -> JobQueue {
    var settings = DeliverySettings()
    settings.leaseTime = .seconds(2)
    settings.limboTime = .seconds(3)
    settings.crashLimit = crashLimit
    settings.deadLetterLimit = deadLetterLimit
    return JobQueue(name: name, worker: worker, redis: redis, settings: settings)
  }

  func queue(_ name: String, as worker: String = "chaos") -> JobQueue {
    Self.queue(name, as: worker, redis)
  }

  func write(_ bytes: [UInt8], to object: String) throws {
    let file = bucket.file(object)
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(filePath: file), options: .atomic)
  }

  func read(_ object: String) -> Data? {
    try? Data(contentsOf: URL(filePath: bucket.file(object)))
  }

  func remove(_ object: String) { try? FileManager.default.removeItem(atPath: bucket.file(object)) }

  /// All results, referenced or not.
  var results: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: bucket.file("output"))) ?? []
    return names.filter { !$0.hasPrefix(".") }.map { "output/\($0)" }
  }
}

extension Stage {
  /// Environment of all workers.
  static func environment(
    cluster: RedisCluster, bucket: TemporaryFolder, receiver: CallbackReceiver, models: ModelServer
  ) -> [String: String] {
    [
      "REDIS_HOST": cluster.sentinels.map { "\($0.endpoint)" }.joined(separator: ","),
      "REDIS_TIMEOUT": "0.5", "STORAGE_BUCKET": "file://" + bucket.path,
      "STORAGE_FILE_FSYNC": "false", "LEASE_TIME": "2", "JOB_HEARTBEAT_INTERVAL": "0.5",
      "REAP_INTERVAL": "0.5", "LIMBO_TIME": "3", "STALL_AFTER": "2", "JOB_RETRY_BASE": "0.2",
      "JOB_RETRY_CAP": "1", "MAX_DELIVERIES": "\(crashLimit)", "SHUTDOWN_TIMEOUT": "1",
      "DEAD_LETTER_MAX": "\(deadLetterLimit)", "MAX_CONCURRENT_JOBS": "3",
      "CALLBACK_ALLOW_PRIVATE": "127.0.0.1:\(receiver.port)", "CALLBACK_TIMEOUT": "2",
      "TF_HOST": "127.0.0.1", "TF_PORT": "\(models.port)", "GRPC_BACKOFF": "0.1",
      "CONSUMER_TYPE": "chaos", "LOG_LEVEL": "INFO", "LOG_FORMAT": "json",
    ]
  }
}

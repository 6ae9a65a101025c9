import ArgumentParser

/// Where Redis and the bucket are, when not taken from the environment.
struct ConnectionOptions: ParsableArguments {
  @Option(help: "Host of Redis (REDIS_HOST).")
  var redisHost: String?

  @Option(help: "Port of Redis (REDIS_PORT).")
  var redisPort: String?

  @Option(help: "Where inputs and results are, such as file://FOLDER (STORAGE_BUCKET).")
  var storageBucket: String?

  /// By name of the setting.
  var settings: [String: String] {
    ["REDIS_HOST": redisHost, "REDIS_PORT": redisPort, "STORAGE_BUCKET": storageBucket]
      .compactMapValues { $0 }
  }
}

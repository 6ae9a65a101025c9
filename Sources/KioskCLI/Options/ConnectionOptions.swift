import ArgumentParser

/// Where Redis and the bucket are, when not taken from the environment.
struct ConnectionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Host of Redis (REDIS_HOST).", valueName: "host"))
  var redisHost: String?

  @Option(help: ArgumentHelp("Port of Redis (REDIS_PORT).", valueName: "port"))
  var redisPort: String?

  @Option(
    help: ArgumentHelp(
      "Where inputs and results are, such as file://FOLDER (STORAGE_BUCKET).", valueName: "url"))
  var storageBucket: String?

  /// By name of the setting.
  var settings: [String: String] {
    ["REDIS_HOST": redisHost, "REDIS_PORT": redisPort, "STORAGE_BUCKET": storageBucket]
      .compactMapValues { $0 }
  }
}

/// Where Redis is, for commands that need nothing else.
struct RedisOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Host of Redis (REDIS_HOST).", valueName: "host"))
  var redisHost: String?

  @Option(help: ArgumentHelp("Port of Redis (REDIS_PORT).", valueName: "port"))
  var redisPort: String?

  /// By name of the setting.
  var settings: [String: String] {
    ["REDIS_HOST": redisHost, "REDIS_PORT": redisPort].compactMapValues { $0 }
  }
}

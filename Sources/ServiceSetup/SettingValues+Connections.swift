import FoundationEssentials
import Logging
import RedisClient
import Settings
import Telemetry

/// From settings to the parts that daemon and command line tool share. Each notes what it cannot
/// use with ``SettingValues/report(_:_:)`` and then returns nil, so that all problems are told
/// together.
extension SettingValues {
  /// How to reach Redis.
  public mutating func redisConfiguration(clientName: String) -> RedisConfiguration? {
    let endpoints: [RedisEndpoint]
    do {
      endpoints = try RedisEndpoint.list(
        text("REDIS_HOST") ?? "", defaultPort: integer("REDIS_PORT"))
    } catch {
      report("REDIS_HOST", error.reason)
      return nil
    }
    if text("REDIS_SENTINEL_USERNAME") != nil, text("REDIS_SENTINEL_PASSWORD") == nil {
      report("REDIS_SENTINEL_USERNAME", "set it together with REDIS_SENTINEL_PASSWORD")
      return nil
    }
    var configuration = RedisConfiguration(endpoints: endpoints)
    configuration.sentinel = RedisSentinel(
      primaryName: text("REDIS_SENTINEL_MASTER"), username: text("REDIS_SENTINEL_USERNAME"),
      password: text("REDIS_SENTINEL_PASSWORD"))
    configuration.username = text("REDIS_USERNAME")
    configuration.password = text("REDIS_PASSWORD")
    configuration.database = integer("REDIS_DB")
    configuration.clientName = clientName
    configuration.reconnectDelayLimit = duration("REDIS_TIMEOUT")
    if boolean("REDIS_TLS") {
      let certificate = text("REDIS_TLS_CERT_FILE")
      let key = text("REDIS_TLS_KEY_FILE")
      if (certificate == nil) != (key == nil) {
        report("REDIS_TLS_CERT_FILE", "set it together with REDIS_TLS_KEY_FILE, or neither")
        return nil
      }
      configuration.tls = RedisTLS(
        authorityFile: text("REDIS_TLS_CA_FILE"), certificateFile: certificate, keyFile: key)
    }
    return configuration
  }

  /// The Redis list to serve or fill, in lower case.
  public mutating func queueName(_ setting: String = "QUEUE") -> String? {
    let name = (text(setting) ?? "").lowercased()
    guard !name.contains(":") else {
      report(setting, "\"\(name)\" has a colon, which other programs take for the end of its name")
      return nil
    }
    return name
  }

  /// The name of this process, never shared by two.
  public mutating func workerName() -> String? {
    let name = text("HOSTNAME") ?? ProcessEnvironment.defaultWorkerName
    guard !name.contains(":"), name != "host-unkonwn" else {
      report(
        "HOSTNAME", "\"\(name)\" cannot name a worker: it must be its own and have no colon")
      return nil
    }
    return name
  }

  /// Sends what the process logs to standard output.
  public func makeLogOutput() -> LogOutput {
    let output = LogOutput()
    let level = ServiceLogHandler.level(named: text("LOG_LEVEL") ?? "")
    let format =
      ServiceLogHandler.Format(rawValue: (text("LOG_FORMAT") ?? "").lowercased()) ?? .json
    LoggingSystem.bootstrap {
      ServiceLogHandler(name: $0, level: level, format: format, output: output)
    }
    return output
  }
}

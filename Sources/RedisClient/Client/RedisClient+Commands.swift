import NIOCore

extension RedisClient {
  /// Sends a command and returns its reply.
  ///
  /// ```swift
  /// try await redis.command("HSET", key, "status", "started", "updated_at", now)
  /// ```
  /// - Throws: ``RedisError``, also for an error reply; `CancellationError` at once when the task is
  ///   cancelled, though the server may still execute the command.
  @discardableResult
  public func command(_ name: String, _ arguments: any RedisArgument...) async throws -> RedisValue
  {
    try await send(RedisCommand(name, arguments: arguments))
  }

  /// Sends a command and returns its reply.
  ///
  /// - Parameter timeout: for waiting for a connection and the reply together; nil for the
  ///   configured one. When it passes after the command was written, the connection is closed.
  /// - Throws: as ``command(_:_:)``.
  @discardableResult
  public func send(_ command: RedisCommand, timeout: Duration? = nil) async throws -> RedisValue {
    try command.checkShared()
    return try await observed(command.name) {
      let request = try Request(command, deadline: deadline(timeout))
      let value = try await request.value(submit: lane.submit)
      if case .error(let message) = value {
        throw RedisError.rejected(message, command: command.name)
      }
      return value
    }
  }

  /// Sends commands in one write and returns their replies in order, in which errors are values.
  ///
  /// Other tasks' commands come before or after, never between, but another client's may.
  @discardableResult
  public func pipeline(
    _ commands: [RedisCommand], timeout: Duration? = nil
  ) async throws -> [RedisValue] {
    guard let first = commands.first else { return [] }
    for command in commands { try command.checkShared() }
    return try await exchange(first.name, commands, timeout: timeout)
  }

  /// Executes commands in one `MULTI`/`EXEC` and returns their replies in order, in which errors are
  /// values: commands before and after a failed one are executed.
  ///
  /// - Throws: ``RedisError`` when the server refused a command, and so executed none.
  @discardableResult
  public func transaction(
    _ commands: [RedisCommand], timeout: Duration? = nil
  ) async throws -> [RedisValue] {
    if commands.isEmpty { return [] }
    for command in commands { try command.checkShared() }
    let isIdempotent = commands.allSatisfy(\.isIdempotent)
    let replies = try await exchange(
      "MULTI",
      [RedisCommand("MULTI", idempotent: isIdempotent)] + commands
        + [RedisCommand("EXEC", idempotent: isIdempotent)],
      timeout: timeout)
    for (command, reply) in zip([RedisCommand("MULTI")] + commands, replies) {
      if case .error(let message) = reply {
        throw RedisError.rejected(message, command: command.name)
      }
    }
    switch replies.last {
    case .array(let results): return results
    case .error(let message): throw RedisError.rejected(message, command: "EXEC")
    default:
      throw RedisError(.unexpectedReply, command: "EXEC", reason: "it is not an array")
    }
  }

  private func exchange(
    _ name: String, _ commands: [RedisCommand], timeout: Duration?
  ) async throws -> [RedisValue] {
    try await observed(name) {
      let request = try Request(pipeline: commands, deadline: deadline(timeout))
      return try await request.value(submit: lane.submit).array ?? []
    }
  }

  func deadline(_ timeout: Duration?) -> NIODeadline {
    .now() + TimeAmount(timeout ?? configuration.commandTimeout)
  }

  /// Runs `body` and tells the observer; costs nothing when there is none.
  func observed<Result>(
    _ name: String, _ body: () async throws -> Result
  ) async throws -> Result {
    guard let observer else { return try await body() }
    let start = ContinuousClock.now
    do {
      let result = try await body()
      observer.commandEnded(name, duration: start.duration(to: .now), error: nil)
      return result
    } catch {
      observer.commandEnded(name, duration: start.duration(to: .now), error: error)
      throw error
    }
  }
}

extension RedisCommand {
  private static let changesState = "it would change the shared connection's state"
  private static let blocks = "it would block the shared connection; use blocking(_:timeout:)"
  private static let waits = "it would block the shared connection; use replicated(_:to:within:)"

  /// Why a command is refused, by its name.
  private static let refusals: [String: String] = {
    let stateful = [
      "AUTH", "DISCARD", "EXEC", "HELLO", "MONITOR", "MULTI", "PSUBSCRIBE", "PSYNC", "QUIT",
      "RESET", "SELECT", "SSUBSCRIBE", "SUBSCRIBE", "SYNC", "UNWATCH", "WATCH",
    ]
    let blocking = [
      "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN",
    ]
    return Dictionary(
      uniqueKeysWithValues: stateful.map { ($0, changesState) } + blocking.map { ($0, blocks) }
        + ["WAIT", "WAITAOF"].map { ($0, waits) })
  }()

  /// Refuses what would disturb the other users of a shared connection.
  func checkShared() throws(RedisError) {
    let reason: String? =
      switch name.uppercased() {
      case "CLIENT": has("REPLY") ? Self.changesState : nil
      case "XREAD", "XREADGROUP": has("BLOCK") ? Self.blocks : nil
      case let name: Self.refusals[name]
      }
    if let reason { throw RedisError(.invalidCommand, command: name, reason: reason) }
  }

  private func has(_ word: String) -> Bool {
    arguments.contains { ($0 as? String)?.uppercased() == word }
  }
}

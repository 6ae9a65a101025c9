import NIOCore

/// A reply, and how safe is what the command wrote.
public struct RedisReplicated: Sendable, Hashable {
  public let value: RedisValue

  /// Replicas that had the write when the wait ended. Those that confirm keep it in memory only, so
  /// it survives the loss of the primary, but not that of all servers at once.
  public let replicaCount: Int
}

extension RedisClient {
  /// Sends a command, and waits until replicas have what it wrote: replication is asynchronous, and a
  /// failover may lose the last writes that the primary has confirmed.
  ///
  /// ```swift
  /// let written = try await redis.replicated(
  ///   RedisCommand("LPUSH", queue, key), to: 1, within: .milliseconds(100))
  /// if written.replicaCount < 1 { logger.warning("a failover now would lose the job") }
  /// ```
  /// Too few replicas are no error: the command was executed.
  ///
  /// - Parameters:
  ///   - replicas: how many are wanted.
  ///   - limit: how long to wait for them; at least a millisecond.
  ///   - timeout: for a connection and the command's own reply; nil for the configured one.
  /// - Throws: ``RedisError``, also for an error reply; `CancellationError`.
  @discardableResult
  public func replicated(
    _ command: RedisCommand, to replicas: Int, within limit: Duration, timeout: Duration? = nil
  ) async throws -> RedisReplicated {
    try command.checkShared()
    return try await observed(command.name) {
      try await sendReplicated(command, replicas, limit, timeout)
    }
  }

  /// Runs a script, and waits until replicas have what it wrote, as
  /// ``replicated(_:to:within:timeout:)`` does for a command.
  @discardableResult
  public func replicated(
    _ script: RedisScript, keys: [any RedisArgument] = [], arguments: [any RedisArgument] = [],
    to replicas: Int, within limit: Duration, timeout: Duration? = nil
  ) async throws -> RedisReplicated {
    do {
      return try await replicated(
        script.command(keys: keys, arguments: arguments), to: replicas, within: limit,
        timeout: timeout)
    } catch let error as RedisError where error.serverCode == ServerCode.noScript.rawValue {
      // Refused before anything was executed.
      return try await replicated(
        script.fullCommand(keys, arguments, false), to: replicas, within: limit, timeout: timeout)
    }
  }

  /// `WAIT` holds up whatever comes after it on its connection, and means what was written there
  /// before: so both go over a connection that is not shared.
  private func sendReplicated(
    _ command: RedisCommand, _ replicas: Int, _ limit: Duration, _ timeout: Duration?
  ) async throws -> RedisReplicated {
    let milliseconds = max(1, Int(min(limit / .milliseconds(1), 1e9)))
    let wait = RedisCommand("WAIT", max(replicas, 0), milliseconds)
    let timeout = (timeout ?? configuration.commandTimeout) + .milliseconds(milliseconds)
    let request = try Request(pipeline: [command, wait], deadline: deadline(timeout))
    let replies = try await onSpareConnection(request).array ?? []
    guard replies.count == 2 else {
      throw RedisError(.unexpectedReply, command: command.name, reason: "replies are missing")
    }
    if case .error(let message) = replies[0] {
      throw RedisError.rejected(message, command: command.name)
    }
    // The command was executed: a refused WAIT is no reason to have it sent again.
    return RedisReplicated(value: replies[0], replicaCount: replies[1].integer ?? 0)
  }
}

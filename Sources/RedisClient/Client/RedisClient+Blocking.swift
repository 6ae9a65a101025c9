import NIOCore

extension RedisClient {
  /// Sends a command that blocks on the server, as `BLMOVE`, on a connection of its own, and returns
  /// its reply; null when the server's wait ended without a result.
  ///
  /// When the task is cancelled or the timeout passes, the connection is closed, so that the server
  /// ends the wait and no element goes to somebody who left. An element that the server had already
  /// sent by then is lost with it: let blocking commands only look, as `BLMOVE q q RIGHT RIGHT`.
  ///
  /// - Parameter timeout: longer than the wait asked of the server by a network's delay. When it
  ///   passes the server is taken to be unreachable, and the primary is looked for again.
  /// - Throws: ``RedisError`` or `CancellationError`.
  @discardableResult
  public func blocking(_ command: RedisCommand, timeout: Duration) async throws -> RedisValue {
    try await observed(command.name) {
      let request = try Request(command, deadline: deadline(timeout))
      let connection = try await spareConnection(until: request.deadline, for: command.name)
      do {
        let value = try await connection.send(request)
        if case .error(let message) = value {
          throw RedisError.rejected(message, command: command.name)
        }
        park(connection)
        return value
      } catch {
        connection.close("\(command.name) failed")
        if let error = error as? RedisError, error.suggestsFailover { reconnect(error.reason) }
        throw error
      }
    }
  }

  private func park(_ connection: RedisConnection) {
    if !connections.withLock({ $0.park(connection) }) { connection.close("it is not needed") }
  }

  private func spareConnection(
    until deadline: NIODeadline, for name: String
  ) async throws -> RedisConnection {
    if let connection = connections.withLock({ $0.unpark() }) { return connection }
    return try await newConnection(until: deadline, for: name)
  }
}

extension RedisError {
  /// Whether the server may have ceased to be the primary.
  fileprivate var suggestsFailover: Bool {
    code == .timedOut || ServerCode(message: reason)?.endsConnection == true
  }
}

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
  /// - Throws: ``RedisError`` or `CancellationError`. After a failover it is an error to retry: the
  ///   command is not sent again by itself, since its wait would outlast the timeout.
  @discardableResult
  public func blocking(_ command: RedisCommand, timeout: Duration) async throws -> RedisValue {
    try await observed(command.name) {
      let request = try Request(command, deadline: deadline(timeout))
      let value = try await onSpareConnection(request)
      if case .error(let message) = value {
        throw RedisError.rejected(message, command: command.name)
      }
      return value
    }
  }

  /// Sends a request on a connection that nobody else uses, and returns its reply, which may be an
  /// error.
  func onSpareConnection(_ request: Request) async throws -> RedisValue {
    let connection = try await spareConnection(until: request.deadline, for: request.name)
    do {
      let value = try await connection.send(request)
      if let message = value.refusalOfConnection {
        connection.close("\(request.name) failed")
        reconnect(message)
      } else {
        park(connection)
      }
      return value
    } catch {
      connection.close("\(request.name) failed")
      // The server may have ceased to be the primary.
      if let error = error as? RedisError, error.code == .timedOut { reconnect(error.reason) }
      throw error
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

extension RedisValue {
  /// The message of an error, also of one in an array, after which the server is not to be used.
  fileprivate var refusalOfConnection: String? {
    (array ?? [self]).lazy.compactMap(\.errorMessage).first {
      ServerCode(message: $0)?.endsConnection == true
    }
  }
}

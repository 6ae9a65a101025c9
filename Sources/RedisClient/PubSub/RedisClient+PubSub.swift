import NIOCore

/// The events of a subscription, for one reader.
public struct RedisSubscription: AsyncSequence, Sendable {
  public typealias Element = RedisSubscriptionEvent

  let buffer: MessageBuffer

  public struct Iterator: AsyncIteratorProtocol {
    let buffer: MessageBuffer

    /// - Throws: ``RedisError`` when the client has stopped; `CancellationError`.
    public mutating func next() async throws -> RedisSubscriptionEvent? {
      try await buffer.next()
    }
  }

  public func makeAsyncIterator() -> Iterator { Iterator(buffer: buffer) }
}

extension RedisClient {
  /// A subscriber that is silent this long is asked whether the server is still there.
  private static let subscriptionCheck = Duration.seconds(15)

  /// Subscribes to channels while `body` runs, on a connection of its own that is opened again when
  /// it breaks.
  ///
  /// ```swift
  /// try await redis.withSubscription(to: ["cancelled"]) { events in
  ///   for try await case .message(let message) in events { cancel(message.text) }
  /// }
  /// ```
  /// - Parameters:
  ///   - bufferLimit: events kept for a reader that is behind; then the oldest are dropped.
  ///   - body: begins once the server has confirmed all channels.
  /// - Throws: ``RedisError`` when subscribing fails within the command timeout.
  public func withSubscription<Result>(
    to channels: [String], bufferLimit: Int = 1024,
    _ body: (RedisSubscription) async throws -> Result
  ) async throws -> Result {
    let buffer = MessageBuffer(limit: bufferLimit)
    let connection = try await subscribe(to: channels, into: buffer)
    // Leaving the scope cancels it, which closes the connection.
    async let _ = keepSubscribed(to: channels, connection, into: buffer)
    return try await body(RedisSubscription(buffer: buffer))
  }

  private func subscribe(
    to channels: [String], into buffer: MessageBuffer
  ) async throws -> RedisConnection {
    let deadline = deadline(nil)
    let connection = try await newConnection(until: deadline, for: "SUBSCRIBE")
    connection.onLoop { handler in
      handler.onMessage = { parts in
        if let message = RedisMessage(parts) { buffer.append(.message(message)) }
      }
    }
    do {
      guard !channels.isEmpty else { return connection }
      // One command per channel, since a refused one has one reply however many it names.
      let replies = try await connection.send(
        Request(
          pipeline: channels.map { RedisCommand("SUBSCRIBE", $0) }, deadline: deadline))
      for case .error(let message) in replies.array ?? [] {
        throw RedisError.rejected(message, command: "SUBSCRIBE")
      }
      return connection
    } catch {
      connection.close("subscribing failed")
      throw error
    }
  }

  private func keepSubscribed(
    to channels: [String], _ first: RedisConnection, into buffer: MessageBuffer
  ) async {
    var connection = first
    var backoff = Backoff(limit: configuration.reconnectDelayLimit)
    while !Task.isCancelled {
      let start = ContinuousClock.now
      await watch(connection)
      if start.duration(to: .now) > .seconds(1) { backoff.reset() }
      do {
        connection = try await resubscribe(to: channels, into: buffer, &backoff)
        buffer.append(.reconnected)
      } catch {
        // Cancelled or stopped: `body` may still be reading.
        return buffer.finish(error)
      }
    }
    connection.close("the subscription ended")
  }

  private func resubscribe(
    to channels: [String], into buffer: MessageBuffer, _ backoff: inout Backoff
  ) async throws -> RedisConnection {
    while true {
      try await Task.sleep(for: backoff.next())
      do {
        return try await subscribe(to: channels, into: buffer)
      } catch let error as RedisError where error.code != .notRunning {
        logger.debug("cannot subscribe again yet", metadata: ["error": "\(error)"])
      }
    }
  }

  /// Returns once the connection is gone or does not answer; closes it when cancelled.
  private func watch(_ connection: RedisConnection) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { _ = await connection.waitUntilUnavailable() }
      group.addTask {
        do {
          while true {
            try await Task.sleep(for: Self.subscriptionCheck)
            let request = try Request(RedisCommand("PING"), deadline: self.deadline(nil))
            _ = try await connection.send(request)
          }
        } catch {
          connection.close("\(error)")
        }
      }
      await group.next()
      group.cancelAll()
    }
  }
}

import NIOCore

extension PrimaryDiscovery {
  /// Failovers are announced at once; one that was missed is noticed by asking this often.
  private static let lookInterval = Duration.seconds(10)

  /// Time for a Sentinel to take a subscription.
  private static let subscribeTimeout = TimeAmount.seconds(1)

  /// Tells of each failover until it is cancelled. Does nothing as long as there is no Sentinel.
  func watch(retryLimit: Duration, _ moved: @escaping @Sendable (RedisEndpoint) -> Void) async {
    for await _ in sentinelsMet { break }
    var backoff = Backoff(limit: retryLimit)
    while !Task.isCancelled {
      let start = ContinuousClock.now
      do {
        if let subscription = try await subscribe() {
          try await follow(subscription, moved)
        } else {
          try await look(moved)
        }
      } catch {
        // The subscription broke, and the next one may be elsewhere; or this is cancelled.
      }
      // What lasted longer than all the subscribing may take has worked.
      if start.duration(to: .now) > Self.lookInterval { backoff.reset() }
      try? await Task.sleep(for: backoff.next())
    }
  }

  private struct Subscription {
    let connection: RedisConnection
    let messages: MessageBuffer
  }

  /// Subscribes at the first Sentinel that answers and allows it; nil if there is none.
  private func subscribe() async throws -> Subscription? {
    for address in addresses {
      let deadline = NIODeadline.now() + Self.subscribeTimeout
      do {
        return try await subscribe(at: address, until: deadline)
      } catch let error as RedisError {
        logger.debug(
          "cannot watch for failovers here",
          metadata: ["sentinel": "\(address)", "error": "\(error)"])
      }
    }
    return nil
  }

  private func subscribe(
    at address: RedisEndpoint, until deadline: NIODeadline
  ) async throws -> Subscription {
    let (connection, role) = try await connector.connect(to: address, until: deadline)
    do {
      guard case .sentinel = role else {
        throw RedisError(.connectionFailed, reason: "\(address) is no Sentinel")
      }
      let messages = MessageBuffer(limit: 64)
      connection.onLoop { handler in
        handler.onMessage = { parts in
          if let message = RedisMessage(parts) { messages.append(.message(message)) }
        }
      }
      let request = try Request(RedisCommand("SUBSCRIBE", "+switch-master"), deadline: deadline)
      if case .error(let message) = try await connection.send(request) {
        throw RedisError(.connectionFailed, reason: "\(address): \(message)")
      }
      return Subscription(connection: connection, messages: messages)
    } catch {
      connection.close("subscribing failed")
      throw error
    }
  }

  /// Tells of failovers until the subscription breaks.
  private func follow(
    _ subscription: Subscription, _ moved: @escaping @Sendable (RedisEndpoint) -> Void
  ) async throws {
    let connection = subscription.connection
    defer { connection.close("the subscription ended") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      group.addTask {
        while case let event = try await subscription.messages.next() {
          guard case .message(let message) = event, let endpoint = self.newPrimary(message.text)
          else { continue }
          self.announce(endpoint, by: connection.endpoint)
          moved(endpoint)
        }
      }
      group.addTask { throw await connection.waitUntilUnavailable() }
      group.addTask {
        while true {
          // The first look is for what happened before the subscription.
          try await self.look(moved)
          try await Task.sleep(for: Self.lookInterval)
          let deadline = NIODeadline.now() + Self.subscribeTimeout
          _ = try await connection.send(Request(RedisCommand("PING"), deadline: deadline))
        }
      }
      try await group.next()
    }
  }

  private func look(_ moved: @Sendable (RedisEndpoint) -> Void) async throws {
    do {
      let report = try await ask(until: .distantFuture)
      guard isNews(report) else { return }
      announce(report.primary, by: report.source)
      moved(report.primary)
    } catch let error as RedisError {
      noteSilence(error)
    }
  }

  /// Reads `name old-host old-port new-host new-port`.
  private func newPrimary(_ text: String?) -> RedisEndpoint? {
    let parts = text?.split(separator: " ") ?? []
    guard parts.count == 5, let name = primaryName, parts[0] == name else { return nil }
    return RedisEndpoint(announced: String(parts[3]), Int(parts[4]))
  }
}

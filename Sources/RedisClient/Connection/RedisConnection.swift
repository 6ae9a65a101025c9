import NIOCore

/// One logged-in connection, usable from any task.
final class RedisConnection: Sendable {
  let endpoint: RedisEndpoint
  private let channel: any Channel
  private let handler: NIOLoopBound<ConnectionHandler>
  private let unavailable: EventLoopFuture<RedisError>

  /// To be called on the channel's event loop.
  init(endpoint: RedisEndpoint, channel: any Channel, handler: ConnectionHandler) {
    self.endpoint = endpoint
    self.channel = channel
    self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    unavailable = handler.unavailable.futureResult
  }

  /// Calls `body` with the handler on its event loop.
  func onLoop(_ body: @escaping @Sendable (ConnectionHandler) -> Void) {
    let handler = handler
    channel.eventLoop.execute { body(handler.value) }
  }

  /// Sends a request and waits for its replies. When it is cancelled or late, the connection is
  /// closed, so that the server forgets a command that blocks.
  func send(_ request: Request) async throws -> RedisValue {
    try await withTaskCancellationHandler {
      try await request.value { request in onLoop { $0.write(CollectionOfOne(request)) } }
    } onCancel: {
      close("a waiting command was cancelled")
    }
  }

  /// Closes the connection; what waits for a reply fails.
  func close(_ reason: String) {
    onLoop { $0.end(RedisError(.connectionLost, reason: "it was closed: \(reason)")) }
  }

  /// Waits until no more requests are taken and returns the reason. Cancelling closes the connection.
  @discardableResult
  func waitUntilUnavailable() async -> RedisError {
    await withTaskCancellationHandler {
      // Never fails.
      (try? await unavailable.get()) ?? .stopped
    } onCancel: {
      close("the client stops")
    }
  }

  /// Closes the connection after a moment for the replies under way.
  func leave(_ reason: String) {
    onLoop { $0.leave(RedisError(.connectionLost, reason: reason)) }
  }

  /// Calls `body` once the socket is closed.
  func onClose(_ body: @escaping @Sendable () -> Void) {
    channel.closeFuture.whenComplete { _ in body() }
  }

  /// Waits until the socket is closed.
  func waitUntilClosed() async {
    // Never fails.
    try? await channel.closeFuture.get()
  }
}

import NIOCore

/// One attempt to open a transport that can be given up at any moment: SwiftNIO's `connect` ignores
/// cancellation.
final class ConnectionAttempt: Sendable {
  private let eventLoop: any EventLoop
  private let promise: EventLoopPromise<RedisConnection>

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    promise = eventLoop.makePromise()
  }

  /// SwiftNIO wants every promise kept, also that of an attempt which never started.
  deinit { promise.fail(CancellationError()) }

  var result: EventLoopFuture<RedisConnection> { promise.futureResult }

  /// Connects and waits for the transport, TLS included. A channel that comes too late is closed.
  func start(
    until deadline: NIODeadline, connect: @escaping @Sendable () -> EventLoopFuture<any Channel>,
    endpoint: RedisEndpoint
  ) {
    let promise = promise
    let timeout = eventLoop.scheduleTask(deadline: deadline) {
      promise.fail(RedisError(.timedOut, reason: "no connection within the time to connect"))
    }
    promise.futureResult.whenComplete { _ in timeout.cancel() }

    eventLoop.execute {
      connect().whenComplete { result in
        switch result {
        case .failure(let error): promise.fail(RedisError.transport(error))
        case .success(let channel): Self.finish(channel, endpoint: endpoint, promise)
        }
      }
    }
  }

  func cancel() {
    promise.fail(CancellationError())
  }

  /// Gives it up; if the transport is open already, closes it.
  func abandon(_ reason: RedisError) {
    promise.fail(reason)
    promise.futureResult.whenSuccess { $0.close(reason.reason) }
  }

  private static func finish(
    _ channel: any Channel, endpoint: RedisEndpoint, _ promise: EventLoopPromise<RedisConnection>
  ) {
    // Whatever ends the attempt from here on, nothing else would close the channel.
    promise.futureResult.whenFailure { _ in channel.close(promise: nil) }
    do {
      let handler = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
      let connection = RedisConnection(endpoint: endpoint, channel: channel, handler: handler)
      handler.ready.futureResult.map { connection }.cascade(to: promise)
    } catch {
      // The handler is gone only when the channel has closed already.
      promise.fail(RedisError(.connectionLost, reason: "the server closed it"))
    }
  }
}

import NIOCore
import NIOSSL
import NIOTLS

/// One connection's end of the pipeline: writes requests, matches replies to them in order, and
/// closes the connection when a reply is late or senseless. Belongs to the channel's event loop.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Commands larger than this go out as they are; smaller ones are gathered into one write.
  private static let gatheredSize = 64 << 10

  private let eventLoop: any EventLoop
  private let reader: ReplyReader
  private let awaitsTLS: Bool
  private var context: ChannelHandlerContext?
  private var waiting = CircularBuffer<Request>()
  /// Answered by a refusal that another server would not give.
  private var refused: [Request] = []
  private var output = ByteBuffer()
  private var state = State.opening
  private var failure: RedisError?
  private var timer: DeadlineTimer?

  private enum State {
    case opening, open
    /// Takes no more requests and closes after the last reply.
    case retiring
    case ended
  }

  /// Completed once bytes can be exchanged: after the TLS handshake, if there is one.
  let ready: EventLoopPromise<Void>

  /// Completed with the reason when no more requests are taken.
  let unavailable: EventLoopPromise<RedisError>

  /// Called when no more requests are taken.
  var onUnavailable: (() -> Void)?

  /// Called at the end with the requests that may be sent again on another connection.
  var onEnd: (([Request], RedisError) -> Void)?

  /// Takes published messages, which have no request. Set on pub/sub connections only.
  var onMessage: (([RedisValue]) -> Void)?

  init(eventLoop: any EventLoop, limits: ReplyLimits, awaitsTLS: Bool) throws(RedisError) {
    self.eventLoop = eventLoop
    self.awaitsTLS = awaitsTLS
    reader = try ReplyReader(limits: limits)
    ready = eventLoop.makePromise()
    unavailable = eventLoop.makePromise()
  }

  var isOpen: Bool { state == .open }
  var requestCount: Int { waiting.count }

  /// Sends requests in one flush. Those nobody waits for any more are left out.
  func write(_ requests: some Sequence<Request>) {
    guard state == .open, let context else {
      let error = failure ?? RedisError(.connectionLost, reason: "the connection is closed")
      for request in requests { request.fail(error, outcomeUnknown: false) }
      return
    }
    for request in requests {
      guard var wire = request.takeWire() else { continue }
      waiting.append(request)
      timer?.arm(request.deadline)
      if wire.readableBytes > Self.gatheredSize {
        writeGathered(context)
        context.write(wrapOutboundOut(wire), promise: nil)
      } else {
        output.writeBuffer(&wire)
      }
    }
    writeGathered(context)
    context.flush()
    // Its memory is free for reuse, unless the socket did not take everything.
    if output.capacity > 4 * Self.gatheredSize { output = ByteBuffer() } else { output.clear() }
  }

  private func writeGathered(_ context: ChannelHandlerContext) {
    guard output.readableBytes > 0 else { return }
    context.write(wrapOutboundOut(output), promise: nil)
    output.moveReaderIndex(to: output.writerIndex)
  }

  /// Time for replies under way from a server that is known to be the primary no more.
  private static let leaveGrace = TimeAmount.seconds(1)

  /// Takes no more requests; closes once those written have been answered.
  func retire(_ reason: RedisError) {
    guard state == .open else { return }
    state = .retiring
    failure = failure ?? reason
    becomeUnavailable(reason)
    if waiting.isEmpty { end(reason) }
  }

  /// Retires, but does not wait for replies as long as the commands' deadlines allow.
  func leave(_ reason: RedisError) {
    retire(reason)
    guard state != .ended, let context else { return }
    let holder = NIOLoopBound(self, eventLoop: eventLoop)
    let end = eventLoop.assumeIsolated().scheduleTask(in: Self.leaveGrace) {
      holder.value.end(reason)
    }
    context.channel.closeFuture.whenComplete { _ in end.cancel() }
  }

  /// Fails all requests and closes the connection.
  func end(_ reason: RedisError) {
    guard state != .ended else { return }
    let wasAvailable = state != .retiring
    state = .ended
    failure = failure ?? reason
    timer?.disarm()
    ready.fail(reason)

    var resend: [Request] = []
    for request in refused where !request.isFinished {
      request.rewind()
      resend.append(request)
    }
    refused = []
    for request in waiting where !request.isFinished {
      if request.isIdempotent, onEnd != nil, reason.code == .connectionLost {
        request.rewind()
        resend.append(request)
      } else {
        request.fail(reason, outcomeUnknown: true)
      }
    }
    waiting.removeAll()
    if wasAvailable { becomeUnavailable(reason) }
    onEnd?(resend, reason)
    (onEnd, onMessage) = (nil, nil)
    context?.close(promise: nil)
  }

  private func becomeUnavailable(_ reason: RedisError) {
    unavailable.succeed(reason)
    onUnavailable?()
    onUnavailable = nil
  }

  // MARK: Replies

  private func receive(_ value: RedisValue) {
    guard state != .ended else { return }
    if let onMessage, case .array(let parts) = value, parts.first == "message" {
      onMessage(parts)
      return
    }
    guard let request = waiting.first else {
      // Redis explains itself before it hangs up: too many clients, protected mode.
      let reason = value.errorMessage ?? "\(value.kind) came without a command"
      let code: RedisError.Code =
        value.errorMessage == nil ? .protocolViolation : .connectionLost
      return end(RedisError(code, reason: reason))
    }
    if let message = value.errorMessage, RedisError.announcesHangUp(message) {
      failure = RedisError(.connectionLost, reason: message)
    }
    switch request.receive(value, mayRepeat: onEnd != nil) {
    case .expectsMore: break
    case .finished: waiting.removeFirst()
    case .refused: refused.append(waiting.removeFirst())
    }
    if let message = value.errorMessage, let code = ServerCode(message: message),
      code.endsConnection
    {
      leave(RedisError(.connectionLost, reason: "it was given up after: \(message)"))
    }
    if state == .retiring, waiting.isEmpty, let failure { end(failure) }
  }

  private func expire() {
    let now = NIODeadline.now()
    guard let late = waiting.first(where: { $0.deadline <= now }) else {
      if let next = waiting.lazy.map(\.deadline).min() { timer?.arm(next) }
      return
    }
    let error = RedisError(
      .timedOut, reason: "the server did not answer in time; the connection was closed")
    for request in waiting where request.deadline <= now {
      request.fail(error, outcomeUnknown: true)
    }
    end(RedisError(.connectionLost, reason: "it was closed because \(late.name) timed out"))
  }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    timer = DeadlineTimer(eventLoop: eventLoop) { [weak self] in self?.expire() }
    if context.channel.isActive { becomeConnected() }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end(RedisError(.connectionLost, reason: "it was closed"))
    self.context = nil
    timer = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    becomeConnected()
    context.fireChannelActive()
  }

  private func becomeConnected() {
    if !awaitsTLS { open() }
  }

  private func open() {
    guard state == .opening else { return }
    state = .open
    ready.succeed()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.handshakeCompleted) = event as? TLSUserEvent { open() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let failure = unwrapInboundIn(data).withUnsafeReadableBytes { bytes -> RedisError? in
      do throws(RedisError) {
        try reader.feed(bytes, receive)
        return nil
      } catch {
        return error
      }
    }
    if let failure { end(failure) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(failure ?? RedisError(.connectionLost, reason: "the server closed it"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Many servers drop TLS without its farewell.
    if case .some(.uncleanShutdown) = error as? NIOSSLError { return }
    end(failure ?? RedisError.transport(error))
  }
}

import Glibc
import NIOCore
import NIOPosix

/// One client of a ``FaultProxy`` and the connection to the store on its behalf.
///
/// Everything happens on the client's event loop.
final class FaultConnection {
  let client: any Channel
  private let number: Int
  private let script: FaultScript
  private let storePort: Int
  private var store: (any Channel)?
  private var isConnecting = false
  /// Waits for the connection to the store.
  private var early: [ByteBuffer] = []

  private var fault: Fault?
  private var requestHead = HeadCollector()
  /// Of the body of the request; 0 when a head comes next.
  private var requestLeft = 0
  private var requestPassed = 0
  /// Waits for the end of the body, which is dropped.
  private var lateAnswer: FaultAnswer?
  private var responseHead = HeadCollector()
  private var isInResponseBody = false
  private var responsePassed = 0
  /// What a drip has not sent yet.
  private var dripping = ByteBuffer()
  private var drops = false
  private var isStalled = false
  private var hasStoreEnded = false

  init(_ client: any Channel, number: Int, script: FaultScript, storePort: Int) {
    (self.client, self.number) = (client, number)
    (self.script, self.storePort) = (script, storePort)
  }

  // MARK: From the client

  func fromClient(_ bytes: ByteBuffer) {
    var bytes = bytes
    while bytes.readableBytes > 0, !isStalled {
      if requestLeft > 0 {
        let count = min(requestLeft, bytes.readableBytes)
        guard let piece = bytes.readSlice(length: count) else { return }
        requestLeft -= count
        passRequest(piece)
      } else if let head = requestHead.take(from: &bytes) {
        begin(head)
      }
    }
  }

  private func begin(_ bytes: ByteBuffer) {
    guard let head = RequestHead(bytes) else { return end() }
    fault = script.fault(for: (head.method, head.target, head.fields), connection: number)
    requestLeft = head.length
    (requestPassed, responsePassed) = (0, 0)
    (isInResponseBody, drops) = (false, false)
    switch fault {
    case .answer(let given):
      drops = true
      if given.isEarly || requestLeft == 0 {
        answer(given)
      } else {
        lateAnswer = given
        if head.expectsContinue {
          client.writeAndFlush(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"), promise: nil)
        }
      }
    case .cut(.request, 0), .reset(.request, 0), .stall(.request, 0): breakOff()
    default: forward(bytes)
    }
  }

  private func passRequest(_ piece: ByteBuffer) {
    if drops {
      if requestLeft == 0, let given = lateAnswer {
        lateAnswer = nil
        answer(given)
      }
      return
    }
    let (part, breaks) = apply(.request, to: piece, passed: &requestPassed)
    forward(part)
    if breaks { breakOff() }
  }

  // MARK: From the store

  func fromStore(_ bytes: ByteBuffer) {
    var bytes = bytes
    while bytes.readableBytes > 0, !isStalled {
      if isInResponseBody {
        let (part, breaks) = apply(.response, to: bytes, passed: &responsePassed)
        bytes.clear()
        if breaks {
          breakOff(behind: part)
        } else {
          passResponse(part)
        }
      } else if let head = responseHead.take(from: &bytes) {
        passHead(head)
      }
    }
  }

  private func passHead(_ head: ByteBuffer) {
    if head.readableBytesView.dropFirst(9).first == UInt8(ascii: "1") {
      if case .ignoreExpectation = fault { return }
      client.writeAndFlush(head, promise: nil)
      return
    }
    isInResponseBody = true
    switch fault {
    case .loseReply: end()
    case .cut(.response, 0), .reset(.response, 0), .stall(.response, 0): breakOff(behind: head)
    default: client.writeAndFlush(head, promise: nil)
    }
  }

  private func passResponse(_ bytes: ByteBuffer) {
    if case .drip(let count, let pause) = fault {
      let isDripping = dripping.readableBytes > 0
      dripping.writeImmutableBuffer(bytes)
      setReading(store, false)
      if !isDripping { drip(count, TimeAmount(pause)) }
    } else {
      client.writeAndFlush(bytes, promise: nil)
      if !client.isWritable { setReading(store, false) }
    }
  }

  private func drip(_ count: Int, _ pause: TimeAmount) {
    guard dripping.readableBytes > 0 else {
      if hasStoreEnded { end() } else { setReading(store, true) }
      return
    }
    let piece = dripping.readSlice(length: min(count, dripping.readableBytes))
    client.writeAndFlush(piece ?? ByteBuffer(), promise: nil)
    client.eventLoop.assumeIsolated().scheduleTask(in: pause) { [self] in drip(count, pause) }
  }

  // MARK: Faults

  /// What of a piece passes, and whether the connection breaks behind it.
  private func apply(
    _ direction: Fault.Direction, to piece: ByteBuffer, passed: inout Int
  ) -> (ByteBuffer, breaks: Bool) {
    var piece = piece
    let start = passed
    passed += piece.readableBytes
    switch fault {
    case .cut(direction, let limit), .reset(direction, let limit), .stall(direction, let limit):
      guard passed >= limit else { return (piece, false) }
      return (piece.readSlice(length: limit - start) ?? ByteBuffer(), true)
    case .corrupt(direction, let place) where (start..<passed).contains(place):
      let index = piece.readerIndex + place - start
      if let byte = piece.getInteger(at: index, as: UInt8.self) {
        piece.setInteger(byte ^ 1, at: index)
      }
      return (piece, false)
    default: return (piece, false)
    }
  }

  /// Does what the fault says behind the last bytes for the client.
  private func breakOff(behind last: ByteBuffer = ByteBuffer()) {
    isStalled = true
    let written = client.writeAndFlush(last)
    switch fault {
    case .stall: setReading(client, false)
    case .reset:
      written.assumeIsolated().whenComplete { [self] _ in
        // Without waiting for what is unsent, an end is a reset.
        _ = (client as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        end()
      }
    default: written.assumeIsolated().whenComplete { [self] _ in end() }
    }
  }

  private func answer(_ answer: FaultAnswer) {
    var head = "HTTP/1.1 \(answer.status) Injected\r\n"
    head += "Content-Length: \(answer.body.count * answer.repeats)\r\n"
    for field in answer.fields { head += "\(field.name): \(field.value)\r\n" }
    if answer.closes { head += "Connection: close\r\n" }
    client.writeAndFlush(ByteBuffer(string: head + "\r\n"), promise: nil)
    send(ByteBuffer(bytes: answer.body), times: answer.repeats, closes: answer.closes)
  }

  private func send(_ body: ByteBuffer, times: Int, closes: Bool) {
    let written = client.writeAndFlush(times > 0 ? body : ByteBuffer())
    written.assumeIsolated().whenSuccess { [self] in
      if times > 1 {
        send(body, times: times - 1, closes: closes)
      } else if closes {
        // Not at once: bytes that arrive at a closed connection reset it, and the answer would be lost.
        client.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [self] in end() }
      }
    }
  }

  // MARK: Connections

  private func forward(_ bytes: ByteBuffer) {
    guard let store else {
      early.append(bytes)
      setReading(client, false)
      return connect()
    }
    store.writeAndFlush(bytes, promise: nil)
    if !store.isWritable { setReading(client, false) }
  }

  private func connect() {
    guard !isConnecting else { return }
    isConnecting = true
    let bound = NIOLoopBound(self, eventLoop: client.eventLoop)
    ClientBootstrap(group: client.eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(StoreHandler(bound.value))
        }
      }
      .connect(host: "127.0.0.1", port: storePort)
      .assumeIsolated()
      .whenComplete { [self] result in
        guard case .success(let channel) = result else { return end() }
        store = channel
        for bytes in early { channel.writeAndFlush(bytes, promise: nil) }
        early = []
        if client.isActive { resumeClient() } else { end() }
      }
  }

  /// The store takes more.
  func resumeClient() { if !isStalled { setReading(client, true) } }
  /// The client takes more.
  func resumeStore() {
    if !isStalled, dripping.readableBytes == 0 { setReading(store, true) }
  }

  private func setReading(_ channel: (any Channel)?, _ reads: Bool) {
    channel?.setOption(.autoRead, value: reads).whenFailure { _ in }
  }

  func end() {
    script.removeConnection(number)
    client.close(promise: nil)
    store?.close(promise: nil)
  }

  /// The store has ended the connection; what it sent last still goes to a slow client.
  func storeEnded() {
    hasStoreEnded = true
    if case .stall = fault, isStalled { return }
    if dripping.readableBytes == 0 { end() }
  }
}

final class ClientHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let connection: FaultConnection

  init(_ connection: FaultConnection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.fromClient(unwrapInboundIn(data))
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { connection.resumeStore() }
  }

  func channelInactive(context: ChannelHandlerContext) { connection.end() }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.end() }
}

private final class StoreHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let connection: FaultConnection

  init(_ connection: FaultConnection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.fromStore(unwrapInboundIn(data))
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { connection.resumeClient() }
  }

  func channelInactive(context: ChannelHandlerContext) { connection.storeEnded() }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.storeEnded() }
}

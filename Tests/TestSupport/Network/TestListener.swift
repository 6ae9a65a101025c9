import NIOCore
import NIOPosix

/// A TCP server on a free local port that a test scripts.
public final class TestListener: Sendable {
  static let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  private let channel: any Channel

  /// - Parameter accept: sets up the channel of each client.
  init(
    accept: @escaping @Sendable (any Channel) throws -> Void
  ) async throws {
    channel = try await ServerBootstrap(group: Self.eventLoops)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: false)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try accept(channel) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  deinit { channel.close(promise: nil) }

  public var port: Int { channel.localAddress?.port ?? 0 }

  /// Starts a server that answers what a function says to what it received.
  ///
  /// - Parameter answer: is given the connection's number, from 0, and all that came at once.
  public static func answering(
    _ answer: @escaping @Sendable (_ connection: Int, _ received: [UInt8]) -> ListenerAnswer
  ) async throws -> TestListener {
    let counter = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: eventLoops.next())
    return try await TestListener { channel in
      let number = counter.value
      counter.value += 1
      try channel.pipeline.syncOperations.addHandler(
        AnswerHandler { answer(number, $0) })
    }
  }
}

/// What a ``TestListener`` does with what it received.
public enum ListenerAnswer: Sendable {
  case send([UInt8])
  case sendAndClose([UInt8])
  /// Whatever else comes stays where it is, and the sender has to wait.
  case sendAndReadNoMore([UInt8])
  case close
  /// Stays silent.
  case nothing

  public static func send(_ text: String) -> Self { .send(Array(text.utf8)) }
  public static func sendAndClose(_ text: String) -> Self { .sendAndClose(Array(text.utf8)) }
  public static func sendAndReadNoMore(_ text: String) -> Self {
    .sendAndReadNoMore(Array(text.utf8))
  }

  /// Answers a `PING`, and with it the login of a client that has nothing to say but this: what does
  /// not know `ROLE` is used as a primary. Nil if it is something else that was received.
  public static func toPing(_ received: [UInt8]) -> Self? {
    guard received.starts(with: Array("*1\r\n$4\r\nPING".utf8)) else { return nil }
    let isLogin = String(decoding: received, as: UTF8.self).contains("ROLE")
    return .send("+PONG\r\n" + (isLogin ? "-ERR\r\n" : ""))
  }
}

private final class AnswerHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let answer: ([UInt8]) -> ListenerAnswer

  init(_ answer: @escaping ([UInt8]) -> ListenerAnswer) {
    self.answer = answer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch answer(Array(unwrapInboundIn(data).readableBytesView)) {
    case .send(let bytes):
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    case .sendAndClose(let bytes):
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
      context.close(promise: nil)
    case .sendAndReadNoMore(let bytes):
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
      context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
    case .close: context.close(promise: nil)
    case .nothing: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

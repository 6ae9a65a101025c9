import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy between a client and a server that can misbehave as networks do.
public final class TestProxy: Sendable {
  private let listener: TestListener
  private let control: ProxyControl

  public var port: Int { listener.port }

  /// Forwards to a port of this host.
  ///
  /// - Parameter pieceSize: bytes that travel to the client at once; nil for as they come.
  public init(to port: Int, pieceSize: Int? = nil) async throws {
    let control = ProxyControl()
    self.control = control
    listener = try await TestListener { client in
      let backend = ForwardingHandler(control: control, pieceSize: pieceSize)
      let frontend = ForwardingHandler(control: control, pieceSize: nil)
      try client.pipeline.syncOperations.addHandler(frontend)
      control.add(client)
      let backendBound = NIOLoopBound(backend, eventLoop: client.eventLoop)
      let frontendBound = NIOLoopBound(frontend, eventLoop: client.eventLoop)
      ClientBootstrap(group: client.eventLoop)
        .channelInitializer { server in
          server.eventLoop.makeCompletedFuture {
            try server.pipeline.syncOperations.addHandler(backendBound.value)
          }
        }
        .connect(host: "127.0.0.1", port: port)
        .whenComplete { result in
          guard case .success(let server) = result else { return client.close(promise: nil) }
          frontendBound.value.forward(to: server)
          backendBound.value.forward(to: client)
        }
    }
  }

  /// Forwards nothing more and keeps the connections open: a half-open network.
  public func freeze() { control.isFrozen.store(true, ordering: .relaxed) }

  /// Forwards again; what came meanwhile is lost.
  public func thaw() { control.isFrozen.store(false, ordering: .relaxed) }

  /// Closes all connections; new ones are accepted.
  public func cut() { control.cut() }

  /// Connections accepted so far.
  public var connectionCount: Int { control.clients.withLock { $0.count } }
}

private final class ProxyControl: Sendable {
  let isFrozen = Atomic(false)
  let clients = Mutex<[any Channel]>([])

  func add(_ channel: any Channel) { clients.withLock { $0.append(channel) } }

  func cut() {
    for channel in clients.withLock({ $0 }) { channel.close(promise: nil) }
  }
}

/// Passes on what one channel receives to another.
private final class ForwardingHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let control: ProxyControl
  private let pieceSize: Int?
  private var target: (any Channel)?
  private var early: [ByteBuffer] = []

  init(control: ProxyControl, pieceSize: Int?) {
    self.control = control
    self.pieceSize = pieceSize
  }

  func forward(to target: any Channel) {
    self.target = target
    for buffer in early { pass(buffer) }
    early = []
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    if control.isFrozen.load(ordering: .relaxed) { return }
    if target == nil { early.append(buffer) } else { pass(buffer) }
  }

  private func pass(_ buffer: ByteBuffer) {
    guard let pieceSize, let target else {
      target?.writeAndFlush(buffer, promise: nil)
      return
    }
    var rest = buffer
    while let piece = rest.readSlice(length: min(pieceSize, rest.readableBytes)),
      piece.readableBytes > 0
    {
      target.writeAndFlush(piece, promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    target?.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

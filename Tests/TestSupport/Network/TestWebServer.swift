import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A request that a ``TestWebServer`` got.
public struct TestWebRequest: Sendable {
  public let method: String
  /// Path and query.
  public let target: String
  public let fields: [String: String]
  public let body: [UInt8]
  /// Which connection it came on, from 0.
  public let connection: Int
}

/// What a ``TestWebServer`` does about a request.
public enum TestWebAnswer: Sendable {
  case respond(Int, fields: [String: String] = [:], body: [UInt8] = [])
  /// The head and this much of a longer body, then silence.
  case begin(Int, body: [UInt8])
  /// The head and this much of a longer body, then the end of the connection.
  case breakOff(Int, body: [UInt8])
  /// The head and a body that does not end until the client hangs up.
  case flood(Int)
  /// The head, and a body that comes one byte at a time.
  case drip(Int, bytes: Int, interval: Duration)
  /// Nothing, ever.
  case silence
  /// Ends the connection with a reset.
  case reset

  public static func respond(_ status: Int, _ text: String) -> Self {
    .respond(status, body: Array(text.utf8))
  }
}

/// An HTTP server in the test's process, on a free port of 127.0.0.1.
public final class TestWebServer: Sendable {
  private static let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  public let port: Int
  public let scheme: String
  private let channel: any Channel
  private let log: Log

  /// - Parameters:
  ///   - certificates: for HTTPS.
  ///   - answer: called on the server's thread.
  public init(
    certificates: TestCertificates? = nil,
    answer: @escaping @Sendable (TestWebRequest) -> TestWebAnswer = { _ in .respond(204) }
  ) async throws {
    let context = try certificates.map { files in
      try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: NIOSSLCertificate.fromPEMFile(files.serverFile)
            .map { .certificate($0) },
          privateKey: .privateKey(NIOSSLPrivateKey(file: files.serverKeyFile, format: .pem))))
    }
    let log = Log()
    self.log = log
    let counter = Counter()
    channel = try await ServerBootstrap(group: Self.eventLoops)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
          try pipeline.configureHTTPServerPipeline()
          try pipeline.addHandler(
            WebHandler(connection: counter.next()) { request in
              log.add(request)
              return answer(request)
            } onClose: {
              log.noteClose()
            })
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
    scheme = certificates == nil ? "http" : "https"
  }

  deinit { channel.close(promise: nil) }

  public func url(_ target: String = "/", host: String = "127.0.0.1") -> String {
    "\(scheme)://\(host):\(port)\(target)"
  }

  /// All that came so far.
  public var requests: [TestWebRequest] { log.requests.withLock { $0 } }

  /// Connections that have ended.
  public var closedConnections: Int { log.closed.load(ordering: .relaxed) }

  private final class Log: Sendable {
    let requests = Mutex<[TestWebRequest]>([])
    let closed = Atomic(0)
    func add(_ request: TestWebRequest) { requests.withLock { $0.append(request) } }
    func noteClose() { closed.add(1, ordering: .relaxed) }
  }

  private final class Counter: Sendable {
    private let value = Atomic(0)
    func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
  }
}

private final class WebHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let connection: Int
  private let answer: (TestWebRequest) -> TestWebAnswer
  private let onClose: () -> Void
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []
  private var floods = false

  init(
    connection: Int, answer: @escaping (TestWebRequest) -> TestWebAnswer,
    onClose: @escaping () -> Void
  ) {
    self.connection = connection
    self.answer = answer
    self.onClose = onClose
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = []
    case .body(let part): body.append(contentsOf: part.readableBytesView)
    case .end:
      guard let head else { return }
      let fields = Dictionary(
        head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $0 + "," + $1 })
      act(
        answer(
          TestWebRequest(
            method: head.method.rawValue, target: head.uri, fields: fields, body: body,
            connection: connection)), context)
    }
  }

  private func act(_ answer: TestWebAnswer, _ context: ChannelHandlerContext) {
    switch answer {
    case .respond(let status, let fields, let body):
      var fields = fields
      fields["content-length"] = status == 204 ? nil : String(body.count)
      send(status, fields, body, context)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    case .begin(let status, let body):
      send(status, ["content-length": "\(body.count + 1000)"], body, context)
    case .breakOff(let status, let body):
      send(status, ["content-length": "\(body.count + 1000)"], body, context)
      context.close(promise: nil)
    case .flood(let status):
      floods = true
      send(status, ["content-length": "\(1 << 40)"], [], context)
      flood(context)
    case .drip(let status, let bytes, let interval):
      send(status, ["content-length": "\(bytes)"], [], context)
      drip(bytes, interval, context)
    case .silence: break
    case .reset:
      // Without waiting for what is unsent, an end is a reset.
      _ = (context.channel as? any SocketOptionProvider)?
        .setSoLinger(linger(l_onoff: 1, l_linger: 0))
      context.close(promise: nil)
    }
  }

  private func send(
    _ status: Int, _ fields: [String: String], _ body: [UInt8], _ context: ChannelHandlerContext
  ) {
    let head = HTTPResponseHead(
      version: .http1_1, status: .init(statusCode: status),
      headers: HTTPHeaders(fields.map { ($0.key, $0.value) }))
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(
      wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
  }

  private func drip(_ left: Int, _ interval: Duration, _ context: ChannelHandlerContext) {
    guard left > 0 else {
      return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: TimeAmount(interval)) {
      let (this, context) = bound.value
      context.writeAndFlush(
        this.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "x")))), promise: nil)
      this.drip(left - 1, interval, context)
    }
  }

  private func flood(_ context: ChannelHandlerContext) {
    while floods, context.channel.isWritable {
      context.writeAndFlush(
        wrapOutboundOut(.body(.byteBuffer(ByteBuffer(repeating: 120, count: 65536)))), promise: nil)
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) { flood(context) }

  func channelInactive(context: ChannelHandlerContext) {
    floods = false
    onClose()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    floods = false
    context.close(promise: nil)
  }
}

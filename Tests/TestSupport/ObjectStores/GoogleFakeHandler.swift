import Glibc
import NIOCore
import NIOHTTP1

/// One connection to a ``GoogleFake``.
final class GoogleFakeHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private static let bodyLimit = 64 << 20
  private static let pieceSize = 64 << 10

  private let fake: GoogleFake
  private let connection: Int
  private var request: GoogleFakeRequest?
  private var fault: GoogleFault?
  /// Why the request is refused, whatever its body.
  private var refusal: GoogleFakeAnswer?
  private var hasAnswered = false
  private var received = 0
  private var body: [UInt8] = []
  /// Where the bytes of a chunk go.
  private var target: (blob: FakeBlob, offset: Int, stored: Int)?
  private var sending: GoogleFakeResponse?

  init(_ fake: GoogleFake, connection: Int) {
    self.fake = fake
    self.connection = connection
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): start(head, context)
    case .body(let part): receive(part, context)
    case .end: end(context)
    }
  }

  private func start(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    let request = GoogleFakeRequest(head, connection: connection)
    self.request = request
    (received, body, target, hasAnswered, sending) = (0, [], nil, false, nil)
    // A test's own answer may look at the fake.
    let (scripted, always) = fake.state.withLock { ($0.note(request), $0.always) }
    let fault = scripted ?? always(request)
    (self.fault, refusal, target) = fake.state.withLock { state in
      if case .answer(let status, let fields, let text) = fault {
        return (nil, GoogleFakeAnswer(status, fields, text: text), nil)
      }
      var refusal = state.refusal(of: request)
      guard refusal == nil, request.operation == .chunk else { return (fault, refusal, nil) }
      refusal = state.refusalOfChunk(request)
      guard refusal == nil, let session = state.session(request), session.finished == nil,
        let first = ContentRange(request.fields["content-range"] ?? "")?.bytes?.lowerBound
      else { return (fault, refusal, nil) }
      return (fault, nil, (session.blob, first, session.stored))
    }
    guard head.headers.first(name: "expect")?.lowercased() == "100-continue" else { return }
    if let refusal {
      send(refusal, context)
    } else {
      context.writeAndFlush(
        wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil
      )
    }
  }

  private func receive(_ part: ByteBuffer, _ context: ChannelHandlerContext) {
    guard !hasAnswered else { return }
    var bytes = Array(part.readableBytesView)
    if case .resetUpload(let limit) = fault, received + bytes.count >= limit {
      bytes.removeLast(received + bytes.count - limit)
      store(bytes)
      return reset(context)
    }
    store(bytes)
  }

  private func store(_ bytes: [UInt8]) {
    var bytes = bytes
    if case .damageUpload(let place) = fault, (received..<received + bytes.count).contains(place) {
      bytes[place - received] ^= 1
    }
    if let target {
      // What is there already stays as it is.
      let skipped = min(bytes.count, max(0, target.stored - target.offset - received))
      bytes[skipped...].withUnsafeBytes {
        target.blob.write($0, at: target.offset + received + skipped)
      }
    } else if body.count + bytes.count <= Self.bodyLimit {
      body += bytes
    }
    received += bytes.count
  }

  private func end(_ context: ChannelHandlerContext) {
    guard !hasAnswered, let request else { return }
    if case .silence = fault { return }
    let answer = refusal ?? fake.state.withLock { perform(request, &$0) }
    if case .loseAnswer = fault { return reset(context) }
    if case .holdAnswer = fault {
      let bound = NIOLoopBound((self, context, answer), eventLoop: context.eventLoop)
      fake.state.withLock { state in
        state.held.append {
          bound.eventLoop.execute {
            let (this, context, answer) = bound.value
            this.send(answer, context)
          }
        }
      }
      return
    }
    send(answer, context)
  }

  private func perform(
    _ request: GoogleFakeRequest, _ state: inout GoogleFakeState
  ) -> GoogleFakeAnswer {
    switch request.operation {
    case .related: return state.upload(request, body)
    case .begin: return state.begin(request, body)
    case .cancel: return state.cancel(request)
    case .state: return state.progress(of: request)
    case .chunk:
      var count = received
      if case .storePart(let part) = fault { count = min(count, part) }
      state.keep(count, of: request)
      return state.progress(of: request)
    case .media, .metadata, .delete: return state.serve(request)
    case .unknown: return .plain(404, "Not Found")
    }
  }

  // MARK: The answer

  private func send(_ answer: GoogleFakeAnswer, _ context: ChannelHandlerContext) {
    hasAnswered = true
    var answer = answer
    // Where there is a session, this is its secret name.
    answer.fields["x-guploader-uploadid"] =
      request?.query["upload_id"] ?? answer.fields["x-guploader-uploadid"]
      ?? "request-\(connection)"
    if answer.status != 204 { answer.fields["Content-Length"] = "\(answer.count)" }
    if case .omit(let prefix) = fault {
      answer.fields = answer.fields.filter {
        !$0.key.lowercased().hasPrefix(prefix.lowercased())
      }
    }
    let head = HTTPResponseHead(
      version: .http1_1, status: .init(statusCode: answer.status),
      headers: HTTPHeaders(answer.fields.map { ($0.key, $0.value) }))
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    sending = GoogleFakeResponse(answer, fault)
    pump(context)
  }

  /// Sends as much as the connection takes.
  private func pump(_ context: ChannelHandlerContext) {
    while context.channel.isWritable, var response = sending {
      let piece = response.next(atMost: Self.pieceSize)
      sending = response
      if !piece.isEmpty {
        context.writeAndFlush(
          wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: piece)))), promise: nil)
        continue
      }
      sending = nil
      context.flush()
      switch response.end {
      case .complete: context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      case .close: context.close(promise: nil)
      case .reset: reset(context)
      case .stall: break
      }
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) { pump(context) }

  private func reset(_ context: ChannelHandlerContext) {
    hasAnswered = true
    keepWhatCame()
    // Without waiting for what is unsent, an end is a reset.
    _ = (context.channel as? any SocketOptionProvider)?
      .setSoLinger(linger(l_onoff: 1, l_linger: 0))
    context.close(promise: nil)
  }

  private func keepWhatCame() {
    guard let request, target != nil else { return }
    target = nil
    let count = received
    fake.state.withLock { $0.keep(count, of: request) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if !hasAnswered { keepWhatCame() }
    sending = nil
    fake.state.withLock { $0.openConnections -= 1 }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The body of an answer on its way, with what goes wrong with it.
private struct GoogleFakeResponse {
  enum End { case complete, close, reset, stall }

  let end: End
  private let answer: GoogleFakeAnswer
  private let limit: Int
  private let damaged: Int?
  private var position = 0

  init(_ answer: GoogleFakeAnswer, _ fault: GoogleFault?) {
    self.answer = answer
    var (limit, damaged, end): (Int, Int?, End) = (answer.count, nil, .complete)
    switch fault {
    case .cutResponse(let count): (limit, end) = (count, .close)
    case .resetResponse(let count): (limit, end) = (count, .reset)
    case .stall(let count): (limit, end) = (count, .stall)
    case .damageResponse(let place): damaged = place
    default: break
    }
    // A body that is shorter than the fault's place comes whole.
    self.end = limit < answer.count ? end : .complete
    self.limit = min(limit, answer.count)
    self.damaged = damaged
  }

  mutating func next(atMost size: Int) -> [UInt8] {
    let range = position..<min(position + size, limit)
    var bytes = answer.bytes(range)
    if let damaged, range.contains(damaged) { bytes[damaged - position] ^= 1 }
    position = range.upperBound
    return bytes
  }
}

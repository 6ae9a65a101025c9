import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Google Cloud Storage's JSON API for one bucket, on a free port of 127.0.0.1: uploads in one request
/// and resumable ones, reads, deletions. It refuses what Google refuses, and fails as it is told to.
public final class GoogleFake: Sendable {
  /// What becomes of uploads with a public ACL.
  public enum PublicACL: Sendable {
    case applied
    /// The bucket has uniform bucket-level access: 400.
    case uniformAccess
    /// The bucket has public access prevention: 412.
    case prevented
    /// The caller may write objects but not their ACL: 403.
    case denied
  }

  static let unit = 256 << 10
  private static let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  public let bucket: String
  public let port: Int
  let state: Mutex<GoogleFakeState>
  private let channel: any Channel

  /// - Parameter tokens: those that are accepted; nil where no credential is needed, as in emulators.
  public init(bucket: String = "test-bucket", tokens: Set<String>? = nil) async throws {
    self.bucket = bucket
    let state = GoogleFakeState(bucket: bucket, tokens: tokens)
    self.state = Mutex(state)
    let link = Link()
    channel = try await ServerBootstrap(group: Self.eventLoops)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let fake = link.fake.withLock({ $0.value }) else { throw ChannelError.eof }
          let connection = fake.state.withLock { $0.connect() }
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(
            GoogleFakeHandler(fake, connection: connection))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
    link.fake.withLock { $0.value = self }
  }

  deinit { channel.close(promise: nil) }

  /// Finds the fake for its connections, which do not keep it.
  private final class Link: Sendable {
    struct Reference: @unchecked Sendable { weak var value: GoogleFake? }  // only under the lock
    let fake = Mutex(Reference())
  }

  public var url: String { "http://127.0.0.1:\(port)" }

  // MARK: What it holds

  public struct Object: Sendable {
    public let blob: FakeBlob
    public let generation: Int
    public let contentType: String
    public let cacheControl: String?
    public let isPublic: Bool
    /// Where it is stored compressed, what it is uncompressed.
    public let uncompressed: FakeBlob?
    let checksum: String

    public var bytes: [UInt8] { blob.bytes }
  }

  public subscript(name: String) -> Object? { state.withLock { $0.objects[name] } }

  public var names: [String] { state.withLock { $0.objects.keys.sorted() } }

  /// - Parameter compressed: what is stored, as gzip, in place of `bytes`.
  public func put(
    _ bytes: [UInt8], as name: String, contentType: String = "image/tiff",
    compressed: [UInt8]? = nil
  ) throws {
    let blob = try FakeBlob(compressed ?? bytes)
    let plain = try compressed.map { _ in try FakeBlob(bytes) }
    state.withLock {
      _ = $0.store(
        blob, as: name,
        GoogleFakeState.Metadata(contentType: contentType), isPublic: false, uncompressed: plain)
    }
  }

  /// Resumable uploads that are neither finished nor given up.
  public var openSessions: Int { state.withLock { $0.sessions.count } }

  /// Connections that have not ended.
  public var connections: Int { state.withLock { $0.openConnections } }

  // MARK: What it does

  public var publicACL: PublicACL {
    get { state.withLock { $0.publicACL } }
    set { state.withLock { $0.publicACL = newValue } }
  }

  /// Whether compressed objects are unpacked for everyone, as some emulators do.
  public var unpacksAlways: Bool {
    get { state.withLock { $0.unpacksAlways } }
    set { state.withLock { $0.unpacksAlways = newValue } }
  }

  /// Tokens that are accepted from now on.
  public func accept(_ tokens: Set<String>) { state.withLock { $0.tokens = tokens } }

  /// The caller has no right to these from now on.
  public func deny(_ operations: Set<GoogleFakeRequest.Operation>) {
    state.withLock { $0.denied = operations }
  }

  /// Forgets all sessions, as Google does after a week.
  public func dropSessions() { state.withLock { $0.sessions = [:] } }

  /// What happens to the next requests of this kind, in order; nil: nothing special.
  public func script(_ operation: GoogleFakeRequest.Operation, _ faults: GoogleFault?...) {
    state.withLock { $0.faults[operation, default: []] += faults }
  }

  /// What happens to requests that nothing was scripted for.
  public func always(_ fault: @escaping @Sendable (GoogleFakeRequest) -> GoogleFault?) {
    state.withLock { $0.always = fault }
  }

  /// Answers that wait for ``releaseAnswers()``.
  public var heldAnswers: Int { state.withLock { $0.held.count } }

  /// Sends what was held back.
  public func releaseAnswers() {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    for send in held { send() }
  }

  /// All that came so far.
  public var requests: [GoogleFakeRequest] { state.withLock { $0.requests } }

  public func requests(_ operation: GoogleFakeRequest.Operation) -> [GoogleFakeRequest] {
    requests.filter { $0.operation == operation }
  }
}

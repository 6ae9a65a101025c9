/// How a client connects.
package struct HTTPClientConfiguration: Sendable {
  package var userAgent: String
  /// Which addresses may be connected to; nil: all.
  package var addresses: AddressGuard?
  /// Certificates (PEM) to trust; nil for the system's.
  package var authorityFile: String?
  /// Whether the system's certificates are trusted besides those of `authorityFile`.
  package var trustsSystem: Bool
  /// Whether `https_proxy` and `no_proxy` count. Never with `addresses`, which would see nothing but
  /// the proxy's.
  package var usesProxies: Bool
  /// Connections at a time; what is more waits for one.
  package var connectionsPerHost: Int
  package var connections: Int
  /// Transfers at a time, waiting ones included; what is more fails.
  package var transferLimit: Int

  package init(
    userAgent: String, addresses: AddressGuard? = nil, authorityFile: String? = nil,
    trustsSystem: Bool = false, usesProxies: Bool = false, connectionsPerHost: Int = 8,
    connections: Int = 64,
    transferLimit: Int = 1024
  ) {
    self.userAgent = userAgent
    self.addresses = addresses
    self.authorityFile = authorityFile
    self.trustsSystem = trustsSystem
    self.usesProxies = usesProxies
    self.connectionsPerHost = connectionsPerHost
    self.connections = connections
    self.transferLimit = transferLimit
  }
}

/// HTTP for many tasks at once, by libcurl: connections are kept and shared, and one thread serves
/// all transfers. It costs nothing while there are none.
///
/// Redirects are responses like others and are not followed. No body is sent twice. TLS is always
/// verified.
package final class HTTPClient: Sendable {
  private let configuration: HTTPClientConfiguration
  private let loop: TransferLoop

  package init(_ configuration: HTTPClientConfiguration) throws(HTTPError) {
    self.configuration = configuration
    loop = try TransferLoop(configuration)
  }

  deinit { loop.stop() }

  /// Sends a request and returns the response with its body.
  ///
  /// - Parameters:
  ///   - bodyLimit: bytes of the body that are kept at most.
  ///   - overflow: what becomes of a longer one.
  /// - Throws: ``HTTPError``; `CancellationError` within a moment of the task's cancellation.
  package func send(
    _ request: HTTPRequest, bodyLimit: Int = 65536, overflow: HTTPOverflow = .fail
  ) async throws -> HTTPResponse {
    let collector = BodyCollector(limit: bodyLimit, overflow: overflow)
    let head = try await transfer(request, into: collector)
    return HTTPResponse(head: head, body: collector.bytes, isCut: collector.isCut)
  }

  /// Sends a request and passes the body of the response on as it comes.
  ///
  /// - Throws: as ``send(_:bodyLimit:overflow:)``.
  package func transfer(
    _ request: HTTPRequest, into sink: any HTTPBodySink
  ) async throws -> HTTPHead {
    try request.check()
    // A client that its caller forgets meanwhile must not end under way.
    defer { withExtendedLifetime(self) {} }
    let transfer = Transfer(request, configuration, sink)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { loop.start(transfer, $0) }
    } onCancel: {
      loop.cancel(transfer)
    }
  }
}

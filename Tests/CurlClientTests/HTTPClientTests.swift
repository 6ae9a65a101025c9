import TestSupport
import Testing

@testable import CurlClient

@Suite struct HTTPClientTests {
  private func client(
    _ addresses: AddressGuard? = nil, authorityFile: String? = nil, transferLimit: Int = 1024
  ) throws -> HTTPClient {
    try HTTPClient(
      HTTPClientConfiguration(
        userAgent: "test/1", addresses: addresses, authorityFile: authorityFile,
        transferLimit: transferLimit))
  }

  private func get(_ url: String, total: Duration? = .seconds(60)) throws -> HTTPRequest {
    HTTPRequest("GET", try HTTPURL(url), timeouts: HTTPTimeouts(total: total))
  }

  @Test func `a request arrives as it was made`() async throws {
    let server = try await TestWebServer { _ in
      .respond(201, fields: ["X-Answer": "  yes "], body: Array("made".utf8))
    }
    let request = HTTPRequest(
      "POST", try HTTPURL(server.url("/a/../b//c?x=%41&y")),
      fields: [HTTPField("Content-Type", "application/json"), HTTPField("X-Empty", "")],
      body: HTTPBytes(Array("{}".utf8)))

    let response = try await client().send(request)

    #expect(response.status == 201)
    #expect(response.head["x-answer"] == "yes")
    #expect(response.body == Array("made".utf8) && !response.isCut)
    let got = try #require(server.requests.first)
    #expect(got.method == "POST" && got.target == "/a/../b//c?x=%41&y")
    #expect(got.body == Array("{}".utf8))
    #expect(
      got.fields == [
        "host": "127.0.0.1:\(server.port)", "content-length": "2", "accept": "*/*",
        "content-type": "application/json", "x-empty": "", "user-agent": "test/1",
      ])
  }

  @Test(arguments: ["GET", "HEAD", "DELETE", "POST", "PUT"])
  func `a request needs no body`(method: String) async throws {
    let server = try await TestWebServer()
    let response = try await client().send(HTTPRequest(method, HTTPURL(server.url())))
    #expect(response.status == 204 && response.body.isEmpty)
    let got = try #require(server.requests.first)
    #expect(got.method == method && got.body.isEmpty && got.fields["content-type"] == nil)
  }

  @Test func `a connection is kept for the next request`() async throws {
    let server = try await TestWebServer { _ in .respond(200, "ok") }
    let client = try client()
    for _ in 0..<5 { _ = try await client.send(get(server.url())) }
    #expect(server.requests.map(\.connection) == [0, 0, 0, 0, 0])
  }

  @Test func `a body longer than memory allows comes and goes in pieces`() async throws {
    let size = 8 << 20
    let server = try await TestWebServer { request in
      .respond(200, body: request.body)
    }
    let sink = Comparing()
    let request = HTTPRequest(
      "PUT", try HTTPURL(server.url()), body: Pattern(length: Int64(size)))
    let head = try await client().transfer(request, into: sink)
    #expect(head.status == 200 && sink.isSame && sink.count == size)
    #expect(sink.largest < size / 4)
  }

  @Test func `many requests run at once`() async throws {
    let server = try await TestWebServer { .respond(200, $0.target) }
    let client = try client()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask {
          let response = try await client.send(get(server.url("/\(number)")))
          #expect(response.body == Array("/\(number)".utf8))
        }
      }
      try await group.waitForAll()
    }
  }

  // MARK: Limits

  @Test func `a body that is too long is an error or is cut`() async throws {
    let server = try await TestWebServer {
      $0.target == "/flood" ? .flood(200) : .respond(200, "12345")
    }
    let client = try client()
    #expect(try await client.send(get(server.url()), bodyLimit: 5).body.count == 5)
    for target in ["/", "/flood"] {
      let error = try await #require(throws: HTTPError.self) {
        try await client.send(get(server.url(target)), bodyLimit: 4)
      }
      #expect(error.code == .tooLarge && error.status == 200)
      let cut = try await client.send(get(server.url(target)), bodyLimit: 4, overflow: .cut)
      #expect(cut.body.count == 4 && cut.isCut)
    }
    try await eventually("the flood has ended") { server.closedConnections >= 2 }
  }

  @Test func `a head without end is an error`() async throws {
    let server = try await TestListener.answering { _, _ in
      .send(
        "HTTP/1.1 200 OK\r\n"
          + String(repeating: "x-y: \(String(repeating: "z", count: 90))\r\n", count: 2000))
    }
    let error = try await #require(throws: HTTPError.self) {
      try await client().send(get("http://127.0.0.1:\(server.port)/"))
    }
    #expect(error.code == .tooLarge)
  }

  @Test func `a server that is silent, or stops in the middle, ends by the time limit`()
    async throws
  {
    let server = try await TestWebServer {
      $0.target == "/silent" ? .silence : .begin(200, body: [1, 2, 3])
    }
    // The second has to have begun by then, on a busy machine too.
    async let silent = failure(get(server.url("/silent"), total: .seconds(1)))
    async let middle = failure(get(server.url("/middle"), total: .seconds(8)))
    for (error, status) in [(try await silent, nil), (try await middle, 200)] {
      #expect(error.code == .timedOut && error.status == status && error.isRetryable)
    }
  }

  private func failure(_ request: HTTPRequest) async throws -> HTTPError {
    try await #require(throws: HTTPError.self) { try await client().send(request) }
  }

  @Test func `no more transfers run than the client allows`() async throws {
    let server = try await TestWebServer { _ in .silence }
    let client = try client(transferLimit: 1)
    let first = Task { try await client.send(get(server.url())) }
    try await eventually("the first has arrived") { server.requests.count == 1 }
    let error = try await #require(throws: HTTPError.self) {
      try await client.send(get(server.url()))
    }
    #expect(error.code == .tooManyTransfers)
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    let again = Task { try await client.send(get(server.url())) }
    try await eventually("another has arrived") { server.requests.count == 2 }
    again.cancel()
  }

  // MARK: Cancellation

  @Test func `cancelling ends a transfer and its connection`() async throws {
    let server = try await TestWebServer { _ in .silence }
    let client = try client()
    let task = Task { try await client.send(get(server.url())) }
    try await eventually("the request has arrived") { server.requests.count == 1 }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    try await eventually("the connection has ended") { server.closedConnections == 1 }
  }

  @Test func `a task that is cancelled already sends nothing`() async throws {
    let server = try await TestWebServer()
    let client = try client()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await client.send(get(server.url()))
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(server.requests.isEmpty)
  }

  @Test(arguments: 0..<20) func `cancelling at any moment ends each transfer once`(seed: Int)
    async throws
  {
    let server = try await TestWebServer { _ in .respond(200, "ok") }
    let client = try client()
    var generator = SeededGenerator(seed: seed)
    let delays = (0..<20).map { _ in Int.random(in: 0...3000, using: &generator) }
    await withTaskGroup(of: Void.self) { group in
      for delay in delays {
        group.addTask {
          let task = Task { try await client.send(get(server.url())) }
          try? await Task.sleep(for: .microseconds(delay))
          task.cancel()
          _ = await task.result
        }
      }
    }
    #expect(try await client.send(get(server.url())).status == 200)
  }

  // MARK: Failures

  @Test func `failures say what happened and whether to try again`() async throws {
    let refusing = try RefusingPort()
    let server = try await TestWebServer {
      $0.target == "/reset" ? .reset : .breakOff(200, body: [1])
    }
    let cases: [(String, HTTPError.Code)] = [
      ("http://127.0.0.1:\(refusing.number)/?token=s3cret", .connectionFailed),
      ("http://name.invalid/?token=s3cret", .nameNotResolved),
      (server.url("/reset?token=s3cret"), .connectionLost),
      (server.url("/middle?token=s3cret"), .connectionLost),
      ("https://127.0.0.1:\(server.port)/?token=s3cret", .connectionFailed),
    ]
    for (url, code) in cases {
      let error = try await #require(throws: HTTPError.self) { try await client().send(get(url)) }
      #expect(error.code == code, "\(error)")
      #expect(error.isRetryable)
      #expect(!"\(error)".contains("s3cret"))
    }
  }

  @Test(arguments: [10, 300_000, 3_000_000])
  func `a body is not sent again when a kept connection ends without an answer`(
    size: Int
  ) async throws {
    let server = try await TestWebServer { $0.method == "GET" ? .respond(200, "ok") : .reset }
    let client = try client()
    _ = try await client.send(get(server.url()))
    let request = HTTPRequest(
      "PUT", try HTTPURL(server.url()), body: HTTPBytes([UInt8](repeating: 7, count: size)))

    let error = try await #require(throws: HTTPError.self) { try await client.send(request) }

    #expect(error.code == .connectionLost && error.isRetryable)
    #expect(server.requests.map(\.method) == ["GET", "PUT"])
    #expect(server.requests.map(\.connection) == [0, 0])
  }

  @Test(arguments: [
    "", "example.com", "ftp://example.com/", "file:///etc/passwd", "http://",
    "gopher://example.com", "http://exa mple.com/", "http://example.com:99999/", "javascript:1",
    "http://a/\u{0}", "http://a/\r\nHost: b", "http://[::1/",
  ]) func `a URL that cannot be called is refused without repeating it`(text: String) throws {
    let error = try #require(throws: HTTPError.self) { try HTTPURL(text) }
    #expect(error.code == .invalidRequest)
    #expect(text.isEmpty || !error.description.contains(text))
  }

  @Test func `a field that would break out of its line is refused`() async throws {
    let server = try await TestWebServer()
    for field in [HTTPField("X", "a\r\nY: b"), HTTPField("X: y", "a"), HTTPField("", "a")] {
      let error = try await #require(throws: HTTPError.self) {
        try await client().send(HTTPRequest("GET", HTTPURL(server.url()), fields: [field]))
      }
      #expect(error.code == .invalidRequest)
    }
    #expect(server.requests.isEmpty)
  }

  @Test func `any text can be sent as one line`() {
    #expect(
      HTTPField("X", encoding: "predict:a b\r\né%.tif:1:done").value
        == "predict:a%20b%0D%0A%C3%A9%25.tif:1:done")
  }

  @Test func `a body that cannot be read ends the transfer with its reason`() async throws {
    let server = try await TestWebServer()
    let error = try await #require(throws: HTTPError.self) {
      try await client().send(HTTPRequest("PUT", HTTPURL(server.url()), body: Unreadable()))
    }
    #expect(error.code == .bodyFailed && error.reason.contains("disk is on fire"))
  }

  // MARK: Addresses

  @Test(arguments: ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]", "0"])
  func `no connection is made to an address that is not public`(host: String) async throws {
    let server = try await TestWebServer()
    let error = try await #require(throws: HTTPError.self) {
      try await client(AddressGuard()).send(get(server.url(host: host)))
    }
    #expect(error.code == .addressRefused && !error.isRetryable)
    #expect(server.requests.isEmpty)
    #expect(server.closedConnections == 0)
  }

  @Test func `a name that leads to private addresses only is known before a connection`() throws {
    let addresses = try AddressGuard(except: ["localhost:81"])
    #expect(addresses.refusedAddress(host: "localhost", port: 80) != nil)
    #expect(addresses.refusedAddress(host: "127.0.0.1", port: 81)?.description == "127.0.0.1")
    #expect(addresses.refusedAddress(host: "localhost", port: 81) == nil)
    #expect(addresses.refusedAddress(host: "93.184.216.34", port: 80) == nil)
    #expect(addresses.refusedAddress(host: "name.invalid", port: 80) == nil)
  }

  @Test func `an exception lets a host be called`() async throws {
    let server = try await TestWebServer()
    let guarded = try client(AddressGuard(except: ["localhost:\(server.port)"]))
    #expect(try await guarded.send(get(server.url(host: "localhost"))).status == 204)
    let error = try await #require(throws: HTTPError.self) {
      try await guarded.send(get(server.url()))
    }
    #expect(error.code == .addressRefused)
  }

  @Test func `a redirect is a response and not followed`() async throws {
    let target = try await TestWebServer()
    let server = try await TestWebServer { _ in .respond(307, fields: ["Location": target.url()]) }
    let response = try await client().send(get(server.url()))
    #expect(response.status == 307 && response.head["Location"] == target.url())
    #expect(target.requests.isEmpty)
  }

  // MARK: TLS

  @Test func `a certificate must be trusted and for the host`() async throws {
    let certificates = try await TestCertificates(serverNames: "DNS:localhost")
    let server = try await TestWebServer(certificates: certificates)
    let trusting = try client(authorityFile: certificates.authorityFile)
    #expect(try await trusting.send(get(server.url(host: "localhost"))).status == 204)

    for (client, host) in [(trusting, "127.0.0.1"), (try client(), "localhost")] {
      let error = try await #require(throws: HTTPError.self) {
        try await client.send(get(server.url(host: host)))
      }
      #expect(error.code == .certificateRefused && !error.isRetryable)
    }
    #expect(server.requests.count == 1)
  }

  @Test func `a client that is given up ends its connections`() async throws {
    let server = try await TestWebServer { _ in .respond(200, "ok") }
    do {
      let client = try client()
      _ = try await client.send(get(server.url()))
    }
    try await eventually("the connection has ended") { server.closedConnections == 1 }
  }
}

import Foundation
import TestSupport
import Testing

@Suite(.programs) struct FaultProxyTests {
  private let store: TestWebServer
  private let proxy: FaultProxy
  private let text = String(repeating: "0123456789", count: 20_000)

  init() async throws {
    let text = text
    store = try await TestWebServer { request in
      request.method == "GET" ? .respond(200, text) : .respond(201, "\(request.body.count)")
    }
    proxy = try await FaultProxy(to: store.port)
  }

  /// Stands for a text that is too long to be printed when an expectation fails.
  private func sum(_ text: some StringProtocol) -> [Int] {
    [text.utf8.count, Int(text.utf8.reduce(5381 as UInt32) { $0 &* 33 &+ UInt32($1) })]
  }

  /// Runs the program `curl`.
  private func curl(
    _ arguments: String..., body: String? = nil
  ) async throws -> (output: String, exit: Int32) {
    let folder = try TemporaryFolder()
    var arguments = ["--silent", "--noproxy", "*", "--max-time", "60"] + arguments
    if let body {
      try body.write(toFile: folder.file("body"), atomically: true, encoding: .utf8)
      arguments += ["--upload-file", folder.file("body")]
    }
    let child = try await ChildProcess.start("curl", arguments)
    guard case .code(let code) = try await child.waitForExit(within: .seconds(90)) else {
      throw TestSupportError("curl was ended by a signal")
    }
    return (await child.status.standardOutput, code)
  }

  @Test func `what no rule is for passes, over one connection`() async throws {
    let url = proxy.endpoint + "/a?b=c"
    let (output, exit) = try await curl(url, url)
    #expect(exit == 0)
    #expect(sum(output) == sum(text + text))
    #expect(proxy.connectionCount == 1)
    #expect(proxy.requests.map(\.target) == ["/a?b=c", "/a?b=c"])
    #expect(proxy.requests.map(\.number) == [0, 1])
    #expect(proxy.faultCount == 0)
    try await eventually("connections end") { proxy.openConnectionCount == 0 }
  }

  @Test func `a rule is for the requests it names, skips some and ends`() async throws {
    proxy.inject(.slowDown(retryAfter: 7), times: 2, skipping: 1, "GET", "/b")
    var statuses: [String] = []
    for path in ["/b", "/a", "/b", "/b", "/b"] {
      statuses.append(
        try await curl("-o", "/dev/null", "-w", "%{http_code}", proxy.endpoint + path).output)
    }
    #expect(statuses == ["200", "200", "503", "503", "200"])
    #expect(proxy.faultCount == 2)
    #expect(store.requests.count == 3)
  }

  @Test func `an answer has its fields and body`() async throws {
    proxy.inject(.slowDown(retryAfter: 7))
    let output = try await curl("-i", proxy.endpoint).output
    #expect(output.hasPrefix("HTTP/1.1 503 "))
    #expect(output.contains("\r\nRetry-After: 7\r\n"))
    #expect(output.hasSuffix("</Error>"))
    #expect(output.contains("<Code>SlowDown</Code>"))
  }

  @Test(arguments: [0, 1, 99_999])
  func `a response is cut`(after count: Int) async throws {
    proxy.inject(.cut(.response, after: count))
    let (output, exit) = try await curl(proxy.endpoint)
    #expect(sum(output) == sum(text.prefix(count)))
    #expect(exit == 18)  // fewer bytes than announced
  }

  @Test func `a response is reset`() async throws {
    proxy.inject(.reset(.response, after: 5000))
    #expect(try await curl(proxy.endpoint).exit == 56)  // failure to receive
  }

  @Test func `a response stalls`() async throws {
    proxy.inject(.stall(.response, after: 5000))
    let (output, exit) = try await curl("--speed-limit", "1", "--speed-time", "1", proxy.endpoint)
    #expect(sum(output) == sum(text.prefix(5000)))
    #expect(exit == 28)  // out of time
  }

  @Test func `a byte of a response is damaged`() async throws {
    proxy.inject(.corrupt(.response, at: 150_004))
    let (output, exit) = try await curl(proxy.endpoint)
    #expect(exit == 0)
    #expect(output.count == text.count)
    let places = zip(output.utf8, text.utf8).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
    #expect(places == [150_004])
  }

  @Test func `a byte of a request is damaged`() async throws {
    proxy.inject(.corrupt(.request, at: 150_004))
    #expect(try await curl(proxy.endpoint, body: text).exit == 0)
    let body = try #require(store.requests.first).body
    let places = zip(body, text.utf8).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
    #expect(places == [150_004])
  }

  @Test(arguments: [0, 1, 100_000])
  func `a request is cut, and the store sees no whole one`(after count: Int) async throws {
    proxy.inject(.cut(.request, after: count))
    #expect(try await curl(proxy.endpoint, body: text).exit != 0)
    #expect(store.requests.isEmpty)
    #expect(try await curl(proxy.endpoint, body: text).output == "\(text.utf8.count)")
  }

  @Test(arguments: [0, 70_000])
  func `a request is reset`(after count: Int) async throws {
    proxy.inject(.reset(.request, after: count))
    #expect([55, 56].contains(try await curl(proxy.endpoint, body: text).exit))
    #expect(store.requests.isEmpty)
  }

  @Test func `a request stalls`() async throws {
    proxy.inject(.stall(.request, after: 0))
    #expect(try await curl("--max-time", "1", proxy.endpoint, body: text).exit == 28)
    #expect(store.requests.isEmpty)
  }

  @Test func `a reply is lost after the effect`() async throws {
    proxy.inject(.loseReply, "PUT")
    #expect(try await curl(proxy.endpoint, body: text).exit == 52)  // empty reply
    #expect(store.requests.map(\.body.count) == [text.utf8.count])
  }

  @Test func `an answer comes before the body has`() async throws {
    proxy.inject(.answer(FaultAnswer(413, isEarly: true, closes: true)))
    let (output, _) = try await curl(
      "-w", "%{http_code}", "-H", "Expect:", proxy.endpoint,
      body: String(repeating: text, count: 100))
    #expect(output == "413")
    #expect(store.requests.isEmpty)
  }

  @Test(arguments: [303, 307])
  func `a redirect names its goal`(status: Int) async throws {
    proxy.inject(.redirect(status, to: "http://127.0.0.1:\(store.port)/elsewhere"))
    let (output, exit) = try await curl("--location", proxy.endpoint, body: text)
    #expect(exit == 0)
    let request = try #require(store.requests.first)
    #expect(request.target == "/elsewhere")
    #expect(request.method == (status == 303 ? "GET" : "PUT"))
    #expect(sum(output) == sum(status == 303 ? text : "\(text.utf8.count)"))
  }

  @Test func `an answer dripped is an answer`() async throws {
    proxy.inject(.drip(bytes: 50_000, every: .milliseconds(20)))
    let (output, exit) = try await curl(proxy.endpoint)
    #expect(exit == 0)
    #expect(sum(output) == sum(text))
  }

  @Test func `an error body is as huge as it is said to be`() async throws {
    proxy.inject(.hugeError(500))
    let output = try await curl(
      "-o", "/dev/null", "-w", "%{http_code} %{size_download}", proxy.endpoint
    ).output
    #expect(output == "500 \(64 << 20)")
  }

  @Test func `connections are cut`() async throws {
    proxy.inject(.stall(.request, after: 0))
    async let exit = curl(proxy.endpoint).exit
    try await eventually("the request is there") { proxy.faultCount == 1 }
    proxy.cut()
    #expect(try await exit == 52)
  }
}

@Suite(.s3Servers) struct FaultProxyOfStoreTests {
  @Test(arguments: S3Program.allCases)
  func `signatures stay valid`(program: S3Program) async throws {
    let server = try await S3Server.shared(program)
    let proxy = try await FaultProxy(to: server.port)
    let path = "\(server.bucket)/support/through%20proxy"
    #expect(try await server.curl("PUT", path, body: "x", through: proxy.endpoint).status == 200)
    #expect(try await server.curl("GET", path, through: proxy.endpoint).body == "x")
    #expect(proxy.requests.map(\.method) == ["PUT", "GET"])
  }

  @Test(arguments: [true, false])
  func `the permission to send a body is kept back`(ignores: Bool) async throws {
    let server = try await S3Server.shared(.rclone)
    let proxy = try await FaultProxy(to: server.port)
    if ignores { proxy.inject(.ignoreExpectation) }
    let output = try await runTool(
      "curl",
      server.curlSignature() + [
        "-s", "-i", "-X", "PUT", "-H", "Expect: 100-continue", "--data-binary", "abc",
        "\(proxy.endpoint)/\(server.bucket)/support/expected-\(ignores)",
      ])
    #expect(output.contains("HTTP/1.1 100 Continue") == !ignores)
    #expect(output.contains("HTTP/1.1 200 OK"))
  }
}

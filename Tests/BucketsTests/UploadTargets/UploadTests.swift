import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Buckets

@Suite struct UploadTests {
  private let fixture: UploadFixture

  init() throws { fixture = try UploadFixture() }

  private func send(
    _ url: String, to server: TestWebServer, also: String = "", sendsContentType: Bool = true,
    fixture: UploadFixture? = nil
  ) async throws -> String {
    let fixture = fixture ?? self.fixture
    return try await fixture.send(
      to: url,
      fixture.targets(hosts: server.listed + "," + also, sendsContentType: sendsContentType),
      id: "predict:a.tif:1")
  }

  @Test func `a result is the body of one request`() async throws {
    let server = try await TestWebServer { _ in .respond(201) }
    let url = try await send(server.url("/in?token=s3cret#x"), to: server)
    // A query and no slash at the end: it is one object.
    #expect(url == server.url("/in"))
    let folder = try await send(server.url("/in/?token=s3cret#x"), to: server)
    #expect(folder == server.url("/in/a%20b.zip"))

    let requests = server.requests
    #expect(requests.map(\.method) == ["PUT", "PUT"])
    #expect(requests.map(\.target) == ["/in?token=s3cret", "/in/a%20b.zip?token=s3cret"])
    #expect(requests.allSatisfy { $0.body == fixture.content })
    let common = [
      "host": "127.0.0.1:\(server.port)", "content-length": "1000", "accept": "*/*",
      "content-type": "application/zip", "user-agent": "test/1",
    ]
    #expect(requests[0].fields == common)
    #expect(
      requests[1].fields == common.merging(["x-prediction-id": "predict:a.tif:1"]) { $1 })
  }

  @Test func `a signed object can do without a type, a folder cannot`() async throws {
    let server = try await TestWebServer()
    for target in ["/o?s", "/p/?s"] {
      _ = try await send(server.url(target), to: server, sendsContentType: false)
    }
    #expect(server.requests.map { $0.fields["content-type"] } == [nil, "application/zip"])
  }

  @Test func `a user name is sent as a field and not told on`() async throws {
    let server = try await TestWebServer()
    let url = "http://user:s3cret@127.0.0.1:\(server.port)/p"
    #expect(try await send(url, to: server) == server.url("/p/a%20b.zip"))
    #expect(server.requests.first?.fields["authorization"] == "Basic dXNlcjpzM2NyZXQ=")
  }

  @Test(arguments: [
    ("/files/1?sig=s3cret#s3cret", "/files/1"), ("files/1", "/p/files/1"), ("", "/p/a%20b.zip"),
    ("http://u:s3cret@files.example/x?y#z", "http://files.example/x"), ("../q", "/q"),
    ("javascript:alert(1)", "/p/a%20b.zip"), ("gs://bucket/x", "/p/a%20b.zip"),
    ("//files.example/é x", "http://files.example/%c3%a9%20x"),
  ]) func `the answer says where the result is`(location: String, expected: String) async throws {
    let server = try await TestWebServer { _ in .respond(201, fields: ["Location": location]) }
    let url = try await send(server.url("/p/"), to: server)
    #expect(url == (expected.hasPrefix("/") ? server.url(expected) : expected))
  }

  @Test func `an empty file is sent as one`() async throws {
    let fixture = try UploadFixture(size: 0)
    let server = try await TestWebServer()
    _ = try await send(server.url(), to: server, fixture: fixture)
    let request = try #require(server.requests.first)
    #expect(request.body.isEmpty && request.fields["content-length"] == "0")
  }

  @Test func `a large file waits for leave and goes without it`() async throws {
    // The server does not answer the expectation.
    let fixture = try UploadFixture(size: 3 << 20)
    let server = try await TestWebServer()
    let moved = Mutex(0)
    _ = try await fixture.send(
      to: server.url(), fixture.targets(hosts: server.listed),
      progress: { bytes in moved.withLock { $0 = max($0, bytes) } })
    let request = try #require(server.requests.first)
    #expect(request.body == fixture.content)
    #expect(request.fields["expect"] == "100-continue")
    #expect(request.fields["content-length"] == "\(3 << 20)")
    #expect(request.fields["transfer-encoding"] == nil)
    #expect(moved.withLock { $0 } == 3 << 20)
  }

  // MARK: Redirects

  @Test(arguments: [307, 308], [1000, 3 << 20])
  func `a redirect takes the body along`(status: Int, size: Int) async throws {
    let fixture = try UploadFixture(size: size)
    let other = try await TestWebServer { _ in .respond(200) }
    let server = try await TestWebServer { request in
      switch request.target {
      case "/p/a%20b.zip": .respond(status, fields: ["Location": "/second?x=s3cret"])
      default:
        .respond(
          status, fields: ["Location": "http://u:s3cret@localhost:\(other.port)/third?s3cret#f"])
      }
    }
    let url = try await send(
      "http://user:pass@127.0.0.1:\(server.port)/p", to: server, also: other.listed,
      fixture: fixture)
    #expect(url == other.url("/third", host: "localhost"))
    // Those with a large body may hear of the redirect before they send it.
    #expect(server.requests.map(\.target) == ["/p/a%20b.zip", "/second?x=s3cret"])
    #expect(server.requests.allSatisfy { $0.fields["authorization"] == "Basic dXNlcjpwYXNz" })
    let last = try #require(other.requests.first)
    #expect(last.method == "PUT" && last.target == "/third?s3cret" && last.body == fixture.content)
    #expect(last.fields["authorization"] == nil)
    #expect(last.fields["content-type"] == "application/zip")
  }

  @Test func `a login does not come back with a redirect`() async throws {
    let home = Mutex("")
    let other = try await TestWebServer { _ in
      .respond(307, fields: ["Location": home.withLock { $0 } + "/trap"])
    }
    let server = try await TestWebServer { request in
      request.target == "/trap"
        ? .respond(204) : .respond(307, fields: ["Location": other.url("/")])
    }
    home.withLock { $0 = "http://127.0.0.1:\(server.port)" }
    _ = try await send(
      "http://user:pass@127.0.0.1:\(server.port)/p", to: server, also: other.listed)
    #expect(server.requests.map { $0.fields["authorization"] != nil } == [true, false])
  }

  @Test(arguments: [300, 301, 302, 303, 304, 305])
  func `a redirect that asks for no upload is an error`(status: Int) async throws {
    let target = try await TestWebServer()
    let server = try await TestWebServer { _ in
      .respond(status, fields: ["Location": target.url()])
    }
    let error = await #expect(throws: BucketError.self) {
      try await send(server.url(), to: server, also: target.listed)
    }
    #expect(error?.code == .invalidRequest && error?.answer?.status == status)
    #expect(target.requests.isEmpty && server.requests.count == 1 && fixture.clock.sleeps.isEmpty)
  }

  @Test func `redirects end after five`() async throws {
    let server = try await TestWebServer { request in
      let number = Int(request.target.dropFirst(2)) ?? 0
      return .respond(307, fields: ["Location": "/r\(number + 1)"])
    }
    let error = await #expect(throws: BucketError.self) { try await send(server.url(), to: server) }
    #expect(error?.reason.contains("more than 5 times") == true)
    #expect(server.requests.count == 6)

    let enough = try await TestWebServer { request in
      let number = Int(request.target.dropFirst(2)) ?? 0
      return number == 5 ? .respond(204) : .respond(308, fields: ["Location": "/r\(number + 1)"])
    }
    #expect(try await send(enough.url(), to: enough) == enough.url("/r5"))
  }

  @Test func `a redirect leads neither from https to http nor to what is not public`() async throws
  {
    let certificates = try await TestCertificates()
    let plain = try await TestWebServer()
    for location in ["http://localhost:\(plain.port)/", "ftp://a/", ""] {
      let server = try await TestWebServer(certificates: certificates) { _ in
        .respond(307, fields: location.isEmpty ? [:] : ["Location": location])
      }
      let targets = try fixture.targets(hosts: "localhost:\(server.port),\(plain.listed)") {
        $0.authorityFile = certificates.authorityFile
      }
      let error = await #expect(throws: BucketError.self) {
        try await fixture.send(to: server.url(host: "localhost"), targets)
      }
      #expect(error?.code == .invalidRequest && error?.answer?.status == 307)
    }
    // Loopback, and not listed with its port.
    let unlisted = try await TestWebServer(certificates: certificates)
    let server = try await TestWebServer { request in
      .respond(
        307,
        fields: [
          "Location": request.target.contains("tls")
            ? unlisted.url(host: "localhost") : plain.url(host: "localhost")
        ])
    }
    for target in ["/tls/", "/plain/"] {
      let error = await #expect(throws: BucketError.self) {
        try await send(server.url(target), to: server)
      }
      #expect(error?.code == .invalidRequest && error?.isRetryable == false)
    }
    #expect(plain.requests.isEmpty && unlisted.requests.isEmpty && fixture.clock.sleeps.isEmpty)
  }
}

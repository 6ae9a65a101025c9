import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Buckets

/// Targets that misbehave.
@Suite struct UploadFaultTests {
  private func failure(
    _ fixture: UploadFixture, _ url: String, _ targets: UploadTargets
  ) async throws -> BucketError {
    try await #require(throws: BucketError.self) { try await fixture.send(to: url, targets) }
  }

  @Test(arguments: [408, 429, 500, 502, 503, 504])
  func `a failure that may pass is tried again`(status: Int) async throws {
    let fixture = try UploadFixture()
    let count = Counter()
    let server = try await TestWebServer { _ in
      count.next() <= 3 ? .respond(status, fields: ["Retry-After": "5"]) : .respond(200)
    }
    _ = try await fixture.send(to: server.url(), fixture.targets(hosts: server.listed))
    #expect(server.requests.count == 4)
    #expect(server.requests.allSatisfy { $0.body == fixture.content })
    #expect(fixture.clock.sleeps == [.seconds(5), .seconds(5), .seconds(5)])
  }

  @Test(arguments: [400, 401, 403, 404, 405, 409, 410, 413, 422, 501, 505])
  func `a failure that stays is not`(status: Int) async throws {
    let fixture = try UploadFixture()
    let server = try await TestWebServer { _ in .respond(status, "because of s3cret") }
    let error = try await failure(
      fixture, server.url("/s3cret/?s3cret"), fixture.targets(hosts: server.listed))
    #expect(server.requests.count == 1 && fixture.clock.sleeps.isEmpty)
    #expect(error.answer?.status == status && !error.isRetryable && error.tries == 1)
    #expect("\(error)".contains("HTTP \(status), from http://127.0.0.1:\(server.port)"))
    #expect(!"\(error)".contains("s3cret"))
  }

  @Test func `what does not pass ends at the deadline, with the last failure`() async throws {
    let fixture = try UploadFixture()
    let server = try await TestWebServer { _ in .respond(503) }
    let error = try await failure(
      fixture, server.url(), fixture.targets(hosts: server.listed))
    #expect(error.code == .throttled && error.isRetryable && error.tries == server.requests.count)
    #expect(error.tries > 5)
    #expect(fixture.clock.sleeps.reduce(.zero, +) <= .seconds(60))
  }

  @Test func `a lost answer is asked for again`() async throws {
    // The file has been taken, and nobody knows.
    let fixture = try UploadFixture()
    let count = Counter()
    let server = try await TestWebServer { _ in
      switch count.next() {
      case 1: .reset
      case 2: .breakOff(200, body: [1])
      default: .respond(200)
      }
    }
    _ = try await fixture.send(to: server.url(), fixture.targets(hosts: server.listed))
    #expect(server.requests.count == 3)
    #expect(Set(server.requests.map(\.target)) == ["/a%20b.zip"])
  }

  @Test func `a target that is silent is given up for another try`() async throws {
    let fixture = try UploadFixture()
    let count = Counter()
    let server = try await TestWebServer { _ in count.next() == 1 ? .silence : .respond(200) }
    _ = try await fixture.send(
      to: server.url(),
      fixture.targets(hosts: server.listed) { $0.stallTimeout = .seconds(1) })
    #expect(server.requests.count == 2)
  }

  @Test func `a target that is slow but goes on is waited for`() async throws {
    let fixture = try UploadFixture()
    let server = try await TestWebServer { _ in
      .drip(200, bytes: 8, interval: .milliseconds(400))
    }
    _ = try await fixture.send(
      to: server.url(),
      fixture.targets(hosts: server.listed) { $0.stallTimeout = .seconds(2) })
    #expect(server.requests.count == 1)
  }

  @Test(arguments: [200, 400]) func `an answer without end is cut`(status: Int) async throws {
    let fixture = try UploadFixture()
    let server = try await TestWebServer { _ in .flood(status) }
    let targets = try fixture.targets(hosts: server.listed)
    if status == 200 {
      #expect(try await fixture.send(to: server.url(), targets) == server.url("/a%20b.zip"))
    } else {
      #expect(try await failure(fixture, server.url(), targets).answer?.status == 400)
    }
    try await eventually("the flood has ended") { server.closedConnections == 1 }
    #expect(server.requests.count == 1)
  }

  @Test(arguments: [false, true])
  func `an answer before the whole of a file is the answer`(givesLeave: Bool) async throws {
    let fixture = try UploadFixture(size: 16 << 20)
    let count = Counter()
    // Without leave no body comes; with it the answer comes in the middle of the body.
    let refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    let server = try await TestListener.answering { _, received in
      switch count.next() {
      case 1: givesLeave ? .send("HTTP/1.1 100 Continue\r\n\r\n") : .send(refusal)
      case 2: .send(refusal)
      default: .nothing
      }
    }
    let url = "http://127.0.0.1:\(server.port)/"
    let targets = try fixture.targets(hosts: "http://127.0.0.1:\(server.port)")
    let error = try await failure(fixture, url, targets)
    #expect(error.code == .tooLarge && error.answer?.status == 413 && error.tries == 1)
    #expect(fixture.clock.sleeps.isEmpty)
  }

  @Test(arguments: [307, 302])
  func `a redirect before the whole of a file is the answer`(status: Int) async throws {
    let fixture = try UploadFixture(size: 16 << 20)
    let target = try await TestWebServer()
    let count = Counter()
    let head =
      "HTTP/1.1 \(status) Elsewhere\r\nLocation: \(target.url("/here"))\r\nContent-Length: 0\r\n\r\n"
    // The answer comes in the middle of the body, the rest of which nobody reads.
    let server = try await TestListener.answering { _, _ in
      count.next() == 1 ? .send("HTTP/1.1 100 Continue\r\n\r\n") : .sendAndReadNoMore(head)
    }
    let url = "http://127.0.0.1:\(server.port)/"
    let targets = try fixture.targets(hosts: "http://127.0.0.1:\(server.port),\(target.listed)") {
      // Longer than leave to send is waited for.
      $0.stallTimeout = .seconds(3)
    }
    if status == 307 {
      #expect(try await fixture.send(to: url, targets) == target.url("/here"))
      #expect(target.requests.map(\.body) == [fixture.content])
    } else {
      #expect(try await failure(fixture, url, targets).answer?.status == status)
      #expect(target.requests.isEmpty)
    }
    #expect(fixture.clock.sleeps.isEmpty)
  }

  @Test func `what a target says of a refusal is logged without what it was sent`() async throws {
    let fixture = try UploadFixture()
    let server = try await TestWebServer { request in
      .respond(
        403,
        "no such token: \(request.target.split(separator: "=").last ?? "") \u{1b}[2J and login "
          + "'\(request.fields["authorization"] ?? "")'\nask https://help.example/?tell-nobody-3 now"
      )
    }
    let url = "http://user:tell-nobody-1@127.0.0.1:\(server.port)/in/?token=tell-nobody-2"
    _ = try await failure(fixture, url, fixture.targets(hosts: server.listed))
    #expect(fixture.log.text.contains("no such token: ***"))
    #expect(fixture.log.text.contains("ask https://help.example/?*** now"))
    #expect(!fixture.log.text.contains("\u{1b}"))
    #expect(!fixture.log.text.contains("Basic dXNlcjp"))
    try TestSecret.check(fixture.log.text, of: "the log")
  }

  @Test func `certificates that cannot be read are told before anything is sent`() async throws {
    let fixture = try UploadFixture()
    let server = try await TestWebServer()
    let targets = try fixture.targets(hosts: server.listed) {
      $0.authorityFile = fixture.folder.file("missing.pem")
    }
    let error = try await failure(fixture, server.url(), targets)
    #expect(error.code == .invalidRequest && !error.isRetryable)
    #expect(error.reason.contains("STORAGE_CA_BUNDLE"))
    #expect(error.reason.hasSuffix("missing.pem cannot be read: No such file or directory"))
    #expect(server.requests.isEmpty && fixture.clock.sleeps.isEmpty)
  }

  @Test func `certificates of the settings are trusted besides the system's`() throws {
    var settings = TransferSettings()
    settings.authorityFile = "/certificates.pem"
    let configuration = settings.clientConfiguration(addresses: UploadHosts().addresses)
    #expect(configuration.authorityFile == "/certificates.pem" && configuration.trustsSystem)
    #expect(configuration.addresses != nil)
  }

  @Test func `a target that nobody reaches is a failure that may pass`() async throws {
    let fixture = try UploadFixture()
    let port = try RefusingPort()
    let url = "http://127.0.0.1:\(port.number)/s3cret?s3cret"
    let error = try await failure(
      fixture, url, fixture.targets(hosts: "http://127.0.0.1:\(port.number)"))
    #expect(error.code == .network && error.isRetryable && error.tries > 5)
    #expect(!"\(error)".contains("s3cret"))
  }

  @Test func `an untrusted certificate is final`() async throws {
    let fixture = try UploadFixture()
    let server = try await TestWebServer(certificates: TestCertificates())
    let error = try await failure(
      fixture, server.url(host: "localhost"), fixture.targets(hosts: server.listed))
    #expect(!error.isRetryable && error.tries == 1 && server.requests.isEmpty)
  }

  @Test func `cancelling ends an upload and its connection`() async throws {
    let fixture = try UploadFixture()
    let server = try await TestWebServer { _ in .silence }
    let targets = try fixture.targets(hosts: server.listed)
    let task = Task { try await fixture.send(to: server.url(), targets) }
    try await eventually("the upload has arrived") { server.requests.count == 1 }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    try await eventually("the connection has ended") { server.closedConnections == 1 }
  }

  @Test func `a name of private addresses is refused before anything is sent`() async throws {
    let fixture = try UploadFixture()
    let server = try await TestWebServer()
    let targets = try fixture.targets(hosts: "http://localhost")
    let error = await #expect(throws: BucketError.self) {
      try await targets.target(server.url(host: "localhost"), id: "job")
    }
    #expect(error?.code == .invalidRequest && error?.reason.contains("with its port") == true)
    #expect(server.requests.isEmpty && server.closedConnections == 0)
  }
}

import Foundation
import RedisClient
import Synchronization
import TestSupport
import Testing

@testable import Callbacks
@testable import CurlClient

@Suite struct DeliveryTests {
  @Test(.redisServer) func `a callback is sent signed and then forgotten`() async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer { _ in .respond(200, "thanks") }
    let secret = try #require(CallbackSecret("s3cret"))
    let id = try await outbox.add(server.url("/hook?x=1"))

    try await outbox.deliverAll(outbox.settings { $0.secret = secret })

    #expect(try await outbox.keys().isEmpty)
    let request = try #require(server.requests.first)
    #expect(server.requests.count == 1)
    #expect(request.method == "POST" && request.target == "/hook?x=1")
    #expect(request.fields["content-type"] == "application/json")
    #expect(request.fields["kiosk-event-id"] == id)
    let timestamp = try #require(request.fields["kiosk-timestamp"])
    #expect(Int(timestamp) != nil)
    #expect(
      request.fields["kiosk-signature"]
        == secret.signature(timestamp: timestamp, body: request.body))
    let notice = try JSONDecoder().decode([String: String].self, from: Data(request.body))
    #expect(
      notice == [
        "id": id, "event": "done", "job": "predict:a.tif:1", "queue": "predict", "status": "done",
        "finished_at": "2026-11-21T01:39:15.430173+00:00", "output_url": "https://bucket/a.zip",
      ])
  }

  @Test(.redisServer) func `without a secret there is no signature`() async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer()
    try await outbox.add(server.url())
    try await outbox.deliverAll(outbox.settings())
    #expect(server.requests.map { $0.fields["kiosk-signature"] } == [nil])
  }

  @Test(.redisServer) func `a receiver that fails gets the same again until it takes it`()
    async throws
  {
    let outbox = try Outbox()
    let count = Atomic(0)
    let server = try await TestWebServer { _ in
      switch count.add(1, ordering: .relaxed).oldValue {
      case 0: .respond(500, "")
      case 1: .reset
      case 2: .respond(503, fields: ["Retry-After": "0"])
      case 3: .respond(429, "")
      default: .respond(204)
      }
    }
    try await outbox.add(server.url())
    try await outbox.deliverAll(outbox.settings())
    #expect(server.requests.count == 5)
    #expect(Set(server.requests.map(\.body)).count == 1)
    #expect(Set(server.requests.map { $0.fields["kiosk-event-id"] }).count == 1)
    #expect(try await outbox.keys().isEmpty)
  }

  @Test(.redisServer) func `a callback is given up after its tries, and can be sent again`()
    async throws
  {
    let outbox = try Outbox()
    let works = Atomic(false)
    let server = try await TestWebServer { _ in
      .respond(works.load(ordering: .relaxed) ? 200 : 500, "")
    }
    let id = try await outbox.add(server.url("/?token=s3cret"))
    try await outbox.deliverAll(outbox.settings { $0.maximumTries = 3 })
    #expect(server.requests.count == 3)
    let dead = try await outbox.outbox.deadLetters()
    #expect(
      dead == [
        DeadCallback(
          id: id, job: "predict:a.tif:1", queue: "predict", event: "done",
          server: "http://127.0.0.1:\(server.port)", tries: 3,
          reason: "given up after 3 tries: the receiver answered 500",
          time: try #require(dead.first?.time))
      ])
    #expect(try await outbox.outbox.deadLetters(of: "other").isEmpty)
    #expect(try await outbox.outbox.deadLetters(matching: "ANSWERED 500") == dead)
    #expect(try await outbox.outbox.deadLetters(matching: "s3cret").isEmpty)
    #expect(try await outbox.outbox.requeue(["other"]) == 0)
    works.store(true, ordering: .relaxed)
    #expect(try await outbox.outbox.requeue() == 1)
    #expect(try await outbox.hash(id)["tries"] == "0")
    try await outbox.deliverAll(outbox.settings())
    #expect(server.requests.count == 4)
    #expect(try await outbox.keys().isEmpty)
  }

  @Test(.redisServer, arguments: [301, 307, 400, 401, 404, 410, 422])
  func `an answer that will not change ends the tries`(status: Int) async throws {
    let outbox = try Outbox()
    let inside = try await TestWebServer()
    let server = try await TestWebServer { _ in .respond(status, fields: ["Location": inside.url()])
    }
    let id = try await outbox.add(server.url())
    try await outbox.deliverAll(outbox.settings())
    #expect(server.requests.count == 1 && inside.requests.isEmpty)
    #expect(try await outbox.dead() == [id])
    #expect(try await outbox.hash(id)["last_error"]?.contains("\(status)") == true)
  }

  @Test(
    .redisServer,
    arguments: [
      "ftp://example.com/", "nonsense", "", "http://", "file:///etc/passwd",
      "http://169.254.169.254/latest/meta-data", "http://[::1]:9/", "http://10.255.0.1/",
    ]) func `what may not be called is given up at once`(url: String) async throws
  {
    let outbox = try Outbox()
    let id = try await outbox.add(url)
    try await outbox.deliverAll(outbox.settings())
    #expect(try await outbox.dead() == [id])
  }

  @Test(.redisServer) func `a name that leads to this machine is not called`() async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer()
    let id = try await outbox.add(server.url(host: "localhost"))
    try await outbox.deliverAll(outbox.settings { $0.addresses = AddressGuard() })
    #expect(server.requests.isEmpty)
    #expect(try await outbox.dead() == [id])
  }

  @Test(.redisServer) func `a receiver without a trusted certificate gets nothing`() async throws {
    let outbox = try Outbox()
    let certificates = try await TestCertificates()
    let server = try await TestWebServer(certificates: certificates)
    let id = try await outbox.add(server.url(host: "localhost"))
    let addresses = try AddressGuard(except: ["localhost"])
    try await outbox.deliverAll(outbox.settings { $0.addresses = addresses })
    #expect(server.requests.isEmpty)
    #expect(try await outbox.dead() == [id])

    #expect(try await outbox.outbox.requeue([id]) == 1)
    try await outbox.deliverAll(
      outbox.settings {
        $0.addresses = addresses
        $0.authorityFile = certificates.authorityFile
      })
    #expect(server.requests.count == 1)
  }

  @Test(.redisServer, arguments: [TestWebAnswer.flood(200), .breakOff(200, body: [1])])
  func `an answer is taken although its body makes no end`(answer: TestWebAnswer) async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer { _ in answer }
    try await outbox.add(server.url())
    try await outbox.deliverAll(outbox.settings())
    #expect(server.requests.count == 1)
    #expect(try await outbox.keys().isEmpty)
  }

  @Test(.redisServer) func `a silent receiver is tried again later, at the distance it is due`()
    async throws
  {
    let outbox = try Outbox()
    let server = try await TestWebServer { _ in .silence }
    let id = try await outbox.add(server.url())
    let settings = try outbox.settings {
      $0.timeout = .milliseconds(100)
      $0.retries.base = .seconds(600)
      $0.retries.cap = .seconds(600)
      $0.retries.jitter = .none
    }
    try await outbox.delivering(settings) { _ in
      try await eventually("the try has failed") { try await outbox.hash(id)["last_error"] != nil }
    }
    #expect(try await outbox.hash(id)["tries"] == "1")
    #expect(try await outbox.hash(id)["lease"] == nil)
    let delay = try await outbox.delay(id)
    #expect(delay > 500_000 && delay <= 600_000)
  }

  @Test(.redisServer, arguments: [("1800", 1800.0), ("9999999", 3600), ("soon", 600), ("1", 600)])
  func `a receiver may ask for a longer pause, within limits`(
    wish: String, seconds: Double
  ) async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer { _ in .respond(503, fields: ["Retry-After": wish]) }
    let id = try await outbox.add(server.url())
    let settings = try outbox.settings {
      $0.retries.base = .seconds(600)
      $0.retries.cap = .seconds(600)
      $0.retries.jitter = .none
    }
    try await outbox.delivering(settings) { _ in
      try await eventually("the try has failed") { try await outbox.hash(id)["last_error"] != nil }
    }
    let delay = try await outbox.delay(id)
    #expect(delay > seconds * 1000 - 100_000 && delay <= seconds * 1000)
  }
}

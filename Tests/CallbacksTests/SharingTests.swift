import RedisClient
import Synchronization
import TestSupport
import Testing

@testable import Callbacks
@testable import CurlClient

@Suite struct SharingTests {
  @Test(.redisServer) func `several senders deliver each callback once`() async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer()
    for number in 0..<300 { try await outbox.add(server.url(), job: "job \(number)") }
    let settings = try outbox.settings()
    try await outbox.delivering(settings) { _ in
      try await outbox.delivering(settings) { _ in
        try await outbox.deliverAll(settings)
      }
    }
    #expect(server.requests.count == 300)
    #expect(Set(server.requests.map { $0.fields["kiosk-event-id"] }).count == 300)
    #expect(try await outbox.keys().isEmpty)
  }

  @Test(.redisServer)
  func `a sender that dies after sending leaves it to another, with the same id`() async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer()
    let id = try await outbox.add(server.url())
    let settings = try outbox.settings()
    let look = try await outbox.outbox.claim(
      upTo: 1, token: "dead", lease: .zero, perHost: 1, hosts: [:])
    let callback = try #require(look.callbacks.first)
    // It is sent, but nobody who holds the lease says so.
    await CallbackDeliverer(outbox.redis, settings: settings).deliver(callback, token: "none")
    #expect(server.requests.count == 1)

    try await outbox.deliverAll(settings)

    #expect(server.requests.map { $0.fields["kiosk-event-id"] } == [id, id])
    #expect(server.requests.map(\.body) == [callback.body, callback.body])
    // The dead come back too late.
    #expect(
      try await !outbox.outbox.settle(
        id, token: "dead", .retry(after: .zero, "late"), settings: outbox.settings()))
    #expect(try await outbox.keys().isEmpty)
  }

  @Test(.redisServer) func `a callback with a sender is nobody else's until the lease ends`()
    async throws
  {
    let outbox = try Outbox()
    let id = try await outbox.add("http://a/")
    func claim(_ token: String) async throws -> CallbackOutbox.Look {
      try await outbox.outbox.claim(
        upTo: 9, token: token, lease: .seconds(60), perHost: 9, hosts: [:])
    }
    #expect(try await claim("one").callbacks.map(\.id) == [id])
    let second = try await claim("two")
    #expect(second.callbacks.isEmpty && !second.hasMore)
    let due = try #require(second.nextDue)
    #expect(due > .seconds(1) && due <= .seconds(60))
    #expect(
      try await !outbox.outbox.settle(id, token: "two", .delivered, settings: outbox.settings()))
    #expect(
      try await outbox.outbox.settle(id, token: "one", .delivered, settings: outbox.settings()))
    #expect(
      try await !outbox.outbox.settle(id, token: "one", .delivered, settings: outbox.settings()))
  }

  @Test(.redisServer) func `a callback whose senders all die is given up`() async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer()
    let id = try await outbox.add(server.url(), tries: 12)
    try await outbox.deliverAll(outbox.settings())
    #expect(server.requests.isEmpty)
    #expect(try await outbox.dead() == [id])
  }

  @Test(.redisServer) func `a job's key may be of any bytes`() async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer()
    let id = Array("a\u{0}".utf8) + [0xff, 0xfe]
    try await outbox.redis.command("HSET", Array("kiosk:out:".utf8) + id, "url", server.url())
    try await outbox.redis.command("ZADD", "kiosk:out", 0, id)
    try await outbox.deliverAll(outbox.settings())
    #expect(server.requests.count == 1)
    #expect(try await outbox.keys().isEmpty)
  }

  @Test(.redisServer) func `a newer end of the same job is not taken for the older one`()
    async throws
  {
    let outbox = try Outbox()
    let server = try await TestWebServer()
    let id = try await outbox.add("http://old/")
    _ = try await outbox.outbox.claim(
      upTo: 1, token: "old", lease: .seconds(60), perHost: 1, hosts: [:])
    try await outbox.add(server.url())
    #expect(
      try await !outbox.outbox.settle(id, token: "old", .delivered, settings: outbox.settings()))
    try await outbox.deliverAll(outbox.settings())
    #expect(server.requests.count == 1)
  }

  @Test(.redisServer) func `stopping gives back what is on its way`() async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer { _ in .silence }
    let id = try await outbox.add(server.url())
    try await outbox.delivering(outbox.settings()) { _ in
      try await eventually("the callback is on its way") { server.requests.count == 1 }
    }
    #expect(try await outbox.hash(id)["tries"] == "0")
    #expect(try await outbox.hash(id)["lease"] == nil)
    #expect(try await outbox.delay(id) <= 0)
    try await eventually("its connection has ended") { server.closedConnections == 1 }
  }

  @Test(.redisServer) func `what is due later is looked at when it is due`() async throws {
    let outbox = try Outbox()
    let server = try await TestWebServer()
    let id = try await outbox.add(server.url())
    let settings = try outbox.settings { $0.interval = .seconds(3600) }
    let time: [Int] = try await outbox.redis.command("TIME").decode()
    try await outbox.redis.command("ZADD", "kiosk:out", time[0] * 1000 + 1500, id)
    try await outbox.delivering(settings) { deliverer in
      try await eventually("it is sent") { server.requests.count == 1 }
      try await eventually("it is forgotten") { try await outbox.keys().isEmpty }
      try await outbox.add(server.url(), job: "another")
      deliverer.wake()
      try await eventually("the other is sent") { server.requests.count == 2 }
    }
  }

  @Test(.redisServer) func `a busy host does not hold up the callbacks behind its own`()
    async throws
  {
    let outbox = try Outbox()
    let silent = try await TestWebServer { _ in .silence }
    let server = try await TestWebServer()
    for number in 0..<600 { try await outbox.add(silent.url(), job: "a\(number)") }
    let id = try await outbox.add(server.url(), job: "z")
    try await outbox.delivering(outbox.settings()) { _ in
      try await eventually("the last one is sent") {
        server.requests.count == 1 && silent.requests.count == 4
      }
      try await eventually("it is forgotten") { try await !outbox.waiting().contains(id) }
    }
    #expect(silent.requests.count == 4)
    #expect(try await outbox.waiting().count == 600)
  }

  @Test(.redisServer) func `entries without a hash are dropped`() async throws {
    let outbox = try Outbox()
    try await outbox.redis.command("ZADD", "kiosk:out", 0, "gone", 0, "text")
    try await outbox.redis.command("SET", "kiosk:out:text", "x")
    try await outbox.deliverAll(outbox.settings())
    #expect(try await outbox.keys() == ["kiosk:out:text"])
  }

  @Test(.redisServer) func `no more are kept of those given up than the limit`() async throws {
    let outbox = try Outbox()
    for number in 0..<20 { try await outbox.add("nonsense", job: "\(number)") }
    try await outbox.deliverAll(outbox.settings { $0.deadLetterLimit = 5 })
    #expect(try await outbox.dead().count == 5)
    #expect(try await outbox.keys().count == 6)
  }

  @Test(.redisServer) func `those given up long ago are forgotten`() async throws {
    let outbox = try Outbox()
    try await outbox.add("nonsense", job: "old")
    try await outbox.deliverAll(outbox.settings())
    try await outbox.redis.command("ZADD", "kiosk:out-dead", 1, "old:done")
    let id = try await outbox.add("nonsense", job: "new")
    try await outbox.deliverAll(outbox.settings())
    #expect(try await outbox.dead() == [id])
    #expect(try await outbox.keys().sorted() == ["kiosk:out-dead", "kiosk:out:\(id)"])
  }

  @Test(.redisServer(.arguments("--appendonly", "yes")))
  func `callbacks outlive a restart of Redis`() async throws {
    let outbox = try Outbox()
    let redis = try #require(RedisServer.current)
    let count = Atomic(0)
    let server = try await TestWebServer { _ in
      count.add(1, ordering: .relaxed).oldValue == 0 ? .silence : .respond(204)
    }
    try await outbox.add(server.url())
    let settings = try outbox.settings { $0.timeout = .seconds(5) }
    try await outbox.delivering(settings) { _ in
      try await eventually("the first try is on its way") { server.requests.count == 1 }
      try await redis.restart()
      try await eventually("it is delivered") { try await outbox.keys().isEmpty }
    }
    #expect(server.requests.count == 2)
  }
}

import RedisClient
import TestSupport
import Testing

@testable import JobQueue

@Suite struct ReapTests {
  @Test(.redisServer) func `a lost worker's job goes back as it was`() async throws {
    let harness = try QueueHarness()
    let dead = harness.worker("pod-1")
    let job = try await harness.claim("job", by: dead, status: "waiting")
    _ = try await dead.update(job, ["status": "predicting", "progress": "20"])
    let living = harness.worker("pod-2")
    _ = try await harness.claim("other", by: living)
    try await harness.endLease("job")

    #expect(try await living.reap(every: .zero) == [Recovery(job: "job", what: "requeued")])

    #expect(try await harness.list() == ["job"])
    #expect(try await harness.processing("pod-1").isEmpty)
    #expect(try await harness.processing("pod-2") == ["other"])
    #expect(try await harness.leases() == ["other"])
    let fields = try await harness.hash("job")
    #expect(fields["status"] == "waiting" && fields["progress"] == nil)
    // The crash is counted, an attempt is not.
    let again = try #require(try await living.claim(upTo: 1).jobs.first)
    #expect(again.deliveries == 2 && again.attempts == 0)
  }

  @Test(.redisServer) func `one worker reaps at a time`() async throws {
    let harness = try QueueHarness()
    _ = try await harness.claim("job", by: harness.worker("pod-1"))
    #expect(try await harness.worker("pod-2").reap(every: .seconds(60)).isEmpty)
    try await harness.endLease("job")
    #expect(try await harness.worker("pod-3").reap(every: .seconds(60)).isEmpty)
    try await harness.redis.command("DEL", "kiosk:reap:predict")
    #expect(try await harness.worker("pod-3").reap(every: .seconds(60)).count == 1)
  }

  @Test(.redisServer) func `a job that lost too many workers becomes a dead letter`() async throws {
    let harness = try QueueHarness { $0.crashLimit = 3 }
    try await harness.submit("poison")
    var found: [Recovery] = []
    for i in 1...3 {
      #expect(try await harness.worker("pod-\(i)").claim(upTo: 1).jobs.count == 1)
      try await harness.endLease("poison")
      found += try await harness.worker("reaper").reap(every: .zero)
    }
    #expect(found.map(\.what) == ["requeued", "requeued", "crashed"])
    let fields = try await harness.hash("poison")
    #expect(fields["status"] == "failed" && fields["error_code"] == "lost_worker")
    #expect(fields["reason"]?.hasPrefix("LostWorker: ") == true)
    #expect(fields["reason"]?.contains("pod-3") == true)
    #expect(try await harness.worker().deadLetters(upTo: 2) == ["poison"])
    #expect(try await harness.list().isEmpty)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a lost job that is over its time or unwanted ends`() async throws {
    let harness = try QueueHarness { $0.jobTimeout = .seconds(60) }
    let queue = harness.worker()
    for key in ["late", "unwanted"] { _ = try await harness.claim(key, by: queue) }
    try await harness.redis.command("HSET", Keys.control(of: "late"), "deadline", 1)
    _ = try await queue.cancel("unwanted", by: "operator")
    for key in ["late", "unwanted"] { try await harness.endLease(key) }
    let found = try await queue.reap(every: .zero)
    #expect(Set(found.map(\.what)) == ["timeout", "canceled"])
    #expect(try await harness.hash("late")["error_code"] == "timeout")
    #expect(try await harness.hash("unwanted")["reason"] == "Canceled: by operator")
    #expect(try await queue.deadLetters(upTo: 9) == ["late"])
    #expect(try await harness.processing().isEmpty)
  }

  @Test(.redisServer) func `a job whose entry vanished is left alone, then found again`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await harness.claim("job", by: queue)
    try await harness.endLease("job")
    // A janitor that dies between its two commands.
    try await harness.stealEntry("job")

    #expect(try await queue.reap(every: .zero) == [Recovery(job: "job", what: "limbo")])
    #expect(try await harness.list().isEmpty)
    #expect(try await queue.reap(every: .zero).isEmpty)
    try await harness.makeDue("job", in: Keys.limbo(of: "predict"))
    #expect(try await queue.reap(every: .zero) == [Recovery(job: "job", what: "requeued")])
    #expect(try await harness.list() == ["job"])
    #expect(try await harness.hash("job")["status"] == "new")
    #expect(try await queue.counts().limbo == 0)
  }

  @Test(.redisServer) func `without a janitor a vanished entry need not wait`() async throws {
    let harness = try QueueHarness { $0.limboTime = .zero }
    let queue = harness.worker()
    _ = try await harness.claim("job", by: queue)
    try await harness.endLease("job")
    try await harness.stealEntry("job")
    let found = try await queue.reap(every: .zero)
    #expect(found.map(\.what) == ["limbo", "requeued"])
  }

  /// Where a job that vanished can turn up again.
  enum Place: CaseIterable { case queue, worked, ended, expired }

  @Test(.redisServer, arguments: Place.allCases)
  func `a vanished job that somebody has is not pushed again`(place: Place) async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await harness.claim("job", by: queue)
    try await harness.endLease("job")
    try await harness.stealEntry("job")
    _ = try await queue.reap(every: .zero)
    switch place {
    case .queue: try await harness.redis.command("LPUSH", "predict", "job")
    case .worked:
      try await harness.redis.command("HSET", "job", "updated_by", "python")
      try await harness.redis.command("LPUSH", "processing-predict:python", "job")
    case .ended: try await harness.redis.command("HSET", "job", "status", "done")
    case .expired: try await harness.redis.command("DEL", "job")
    }
    try await harness.makeDue("job", in: Keys.limbo(of: "predict"))

    let found = try await queue.reap(every: .zero)

    #expect(try await harness.list() == (place == .queue ? ["job"] : []))
    #expect(try await queue.counts().limbo == (place == .worked ? 1 : 0))
    switch place {
    case .queue: #expect(found == [Recovery(job: "job", what: "found")])
    case .worked: #expect(found.isEmpty)
    case .ended: #expect(found == [Recovery(job: "job", what: "ended")])
    case .expired: #expect(found == [Recovery(job: "job", what: "gone")])
    }
    if place == .ended || place == .expired { try await harness.expectNothingLeft() }
  }

  @Test(.redisServer) func `reaping brings due jobs in, for workers that wait`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await queue.submit("job", ["status": "new"], DeliveryOptions(.delayed(.seconds(60))))
    _ = try await queue.reap(every: .zero)
    #expect(try await harness.list().isEmpty)
    try await harness.makeDue("job", in: Keys.delayed(in: "predict"))
    _ = try await queue.reap(every: .zero)
    #expect(try await harness.list() == ["job"])
  }
}

@Suite struct RecoverTests {
  @Test(.redisServer) func `jobs left behind go back in order, but those in work stay`()
    async throws
  {
    let harness = try QueueHarness()
    for name in ["first", "second", "held", "gone", "ended", "parent"] {
      try await harness.submit(name, status: name == "parent" ? "waiting" : "new")
    }
    let queue = harness.worker()
    #expect(try await queue.claim(upTo: 6).jobs.count == 6)
    try await harness.redis.command("DEL", "gone")
    try await harness.redis.command("HSET", "ended", "status", "done")
    try await harness.submit("new one")

    let recovered = try await queue.recover(except: ["held"])

    #expect(recovered.filter(\.isBack).map(\.job) == ["parent", "second", "first"])
    #expect(try await harness.list() == ["new one", "parent", "second", "first"])
    #expect(try await harness.processing() == ["held"])
    #expect(try await harness.leases() == ["held"])
    #expect(try await harness.hash("first")["status"] == "new")
    #expect(try await harness.hash("parent")["status"] == "waiting")
    #expect(try await harness.hash("held")["status"] == "started")
    #expect(try await harness.redis.command("EXISTS", "gone") == 0)
  }

  @Test(.redisServer) func `a crash is counted, a lost reply is not`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await harness.claim("job", by: queue)
    #expect(try await queue.recover() == [Recovery(job: "job", what: "released")])
    #expect(try await queue.claim(upTo: 1).jobs.first?.deliveries == 1)
    // Another process of the same name.
    let next = harness.worker()
    #expect(try await next.recover() == [Recovery(job: "job", what: "requeued")])
    #expect(try await next.claim(upTo: 1).jobs.first?.deliveries == 2)
    let third = harness.worker()
    _ = try await third.recover()
    _ = try await third.claim(upTo: 1)
    #expect(try await harness.worker().recover() == [Recovery(job: "job", what: "crashed")])
    #expect(try await harness.hash("job")["error_code"] == "lost_worker")
  }

  @Test(.redisServer) func `what a consumer without leases left behind is taken over`()
    async throws
  {
    let harness = try QueueHarness()
    try await harness.redis.command("HSET", "job", "status", "predicting", "updated_by", "pod-1")
    try await harness.redis.command("LPUSH", "processing-predict:pod-1", "job")
    try await harness.redis.command("LPUSH", "processing-predict:pod-2", "theirs")
    #expect(try await harness.worker("pod-1").recover() == [Recovery(job: "job", what: "requeued")])
    #expect(try await harness.list() == ["job"])
    #expect(try await harness.processing("pod-2") == ["theirs"])
    #expect(try await harness.hash("job")["status"] == "new")
  }
}

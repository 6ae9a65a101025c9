import Foundation
import Glibc
import JobQueue
import RedisClient
import TestSupport
import Testing

/// What operators change.
@Suite struct JobChangeTests {
  @Test(.redisServer) func `cancel says of each job what became of it`() async throws {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    try await harness.set("foreign", ["status": "started", "updated_by": "python"])
    try await harness.redis.command("LPUSH", "processing-segmentation:python", "foreign")
    let status = try await harness.kiosk(
      "cancel", "waiting", "delayed", "running", "failed", "foreign", "nowhere", "--json")
    #expect(status.exit == .code(1))
    let lines = try jsonLines(status.standardOutput)
    #expect(
      lines.map { $0["outcome"] as? String }
        == ["canceled", "canceled", "running", "ended", "elsewhere", "missing"])
    #expect(lines.map { $0["job"] as? String }.prefix(2) == ["waiting", "delayed"])
    #expect(try await harness.status(of: "waiting") == "failed")
    #expect(try await harness.status(of: "running") == "started")
    let reason = try await harness.redis.command("HGET", "waiting", "reason")
    #expect(reason == "Canceled: by user")

    let plain = try await harness.kiosk("cancel", "running")
    #expect(plain.exit == .code(0))
    #expect(plain.standardOutput == "running: its worker has been told to stop\n")
  }

  @Test(.redisServer) func `requeue runs jobs again and says which could not`() async throws {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    // A job that was done is in no set; its key begins with the queue's name in most cases.
    let done = "segmentation:a.tif:1"
    try await harness.set(done, ["status": "done"])
    let status = try await harness.kiosk("requeue", "failed", done, "waiting", "nowhere", "--json")
    #expect(status.exit == .code(1))
    let lines = try jsonLines(status.standardOutput)
    #expect(
      lines.map { $0["outcome"] as? String } == ["requeued", "requeued", "live", "missing"])
    #expect(lines[0]["queue"] as? String == KioskHarness.queue)
    #expect(try await harness.status(of: "failed") == "new")
    #expect(try await harness.jobQueue().deadLetters(upTo: 9) == [])

    // It is remembered for an hour which queue a done job belongs to.
    let remembered = try await harness.kiosk("requeue", "done")
    #expect(remembered.exit == .code(0) && remembered.standardOutput.contains("done: waits"))

    try await harness.set("old", ["status": "done"])
    let unknown = try await harness.kiosk("requeue", "old")
    #expect(unknown.exit == .code(1) && unknown.standardError.contains("--queue"))
    #expect(try await harness.status(of: "old") == "done")
    let named = try await harness.kiosk("requeue", "old", "--queue", "Segmentation")
    #expect(named.exit == .code(0) && named.standardOutput.contains("old: waits"))
    #expect(try await harness.status(of: "old") == "new")
  }

  @Test(.redisServer) func `a queue named wrongly does not get another's jobs`() async throws {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    for (command, job, word) in [
      ("requeue", "failed", "requeued"), ("cancel", "delayed", "canceled"),
    ] {
      let status = try await harness.kiosk(command, job, "--queue", "other", "--json")
      #expect(status.exit == .code(0), "\(status.output)")
      let line = try #require(try jsonLines(status.standardOutput).first)
      #expect(line["outcome"] as? String == word)
      #expect(line["queue"] as? String == KioskHarness.queue)
      #expect(status.standardError.contains("note: \(job) belongs to queue segmentation\n"))
    }
    // Of this one no queue is known: it is left alone where it is not.
    try await harness.set("foreign", ["status": "new"])
    try await harness.redis.command("LPUSH", KioskHarness.queue, "foreign")
    let absent = try await harness.kiosk("cancel", "foreign", "--queue", "other", "--json")
    #expect(absent.exit == .code(1))
    #expect(try jsonLines(absent.standardOutput).first?["outcome"] as? String == "absent")
    #expect(try await harness.status(of: "foreign") == "new")
    #expect(try await harness.redis.command("EXISTS", "other", "kiosk:ev:other") == 0)
  }

  @Test(.redisServer) func `jobs that the tool ends are kept as long as settings say`() async throws
  {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    let status = try await harness.kiosk("cancel", "waiting", environment: ["FAILURE_TTL": "777"])
    #expect(status.exit == .code(0), "\(status.output)")
    #expect((700...777).contains(try await harness.timeToLive("waiting")))
    let wrong = try await harness.kiosk("cancel", "delayed", environment: ["FAILURE_TTL": "long"])
    #expect(wrong.exit == .code(2) && wrong.standardError.contains("FAILURE_TTL"))
    #expect(try await harness.status(of: "delayed") == "new")
  }

  /// Dead letters, of which every third is of another kind and one has expired.
  private func makeDeadLetters(_ harness: KioskHarness) async throws {
    let queue = harness.jobQueue()
    for index in 0..<9 {
      _ = try await queue.submit("dead\(index)", ["status": "new"])
      let job = try #require(try await queue.claim(upTo: 1).jobs.first)
      let reason = index % 3 == 0 ? "Timeout: slow" : "ValueError: dark"
      _ = try await queue.fail(job, JobFailure(.input, reason: reason, errorCode: "x"))
    }
    try await harness.redis.command("DEL", "dead8")
  }

  @Test(.redisServer) func `dead letters run again all or by a match, with --yes only`()
    async throws
  {
    let harness = try KioskHarness()
    try await makeDeadLetters(harness)
    let refused = try await harness.kiosk("requeue", "--dead", "segmentation")
    #expect(refused.exit == .code(2) && refused.standardError.contains("--yes"))
    #expect(refused.standardError.contains("8 jobs"))
    #expect(try await harness.redis.command("LLEN", KioskHarness.queue) == 0)

    let some = try await harness.kiosk(
      "requeue", "--dead", "segmentation", "--match", "TIMEOUT", "--yes", "--json")
    #expect(some.exit == .code(0), "\(some.output)")
    let keys = try jsonLines(some.standardOutput).compactMap { $0["job"] as? String }
    #expect(keys.sorted() == ["dead0", "dead3", "dead6"])
    let rest = try await harness.kiosk("requeue", "--dead", "segmentation", "--yes")
    #expect(rest.exit == .code(0) && rest.standardOutput == "5 of 5 jobs requeued\n")
    #expect(rest.standardError.contains("1 of them have expired"))
    #expect(try await harness.redis.command("LLEN", KioskHarness.queue) == 8)
    let none = try await harness.kiosk("requeue", "--dead", "other", "--yes")
    #expect(none.exit == .code(0) && none.standardOutput == "")
  }

  @Test(.redisServer, arguments: ["y", "n"])
  func `a terminal is asked before many jobs run again`(answer: String) async throws {
    let harness = try KioskHarness()
    try await makeDeadLetters(harness)
    let terminal = try PseudoTerminal()
    let program = try await terminal.start(
      BuiltProduct.path("kiosk"), ["requeue", "--dead", "segmentation"],
      environment: harness.environment, in: harness.folder.path, readsInput: true)
    try await terminal.wait(for: "Run 8 jobs of segmentation again? [y/N]")
    terminal.type(answer + "\n")
    let isYes = answer == "y"
    #expect(try await program.waitForExit() == .code(isYes ? 0 : 130))
    #expect(try await harness.redis.command("LLEN", KioskHarness.queue) == (isYes ? 8 : 0))
    try await terminal.wait(for: isYes ? "8 of 8 jobs requeued" : "nothing was changed")
  }

  @Test(.redisServer) func `a question can be interrupted`() async throws {
    let harness = try KioskHarness()
    try await makeDeadLetters(harness)
    let terminal = try PseudoTerminal()
    let program = try await terminal.start(
      BuiltProduct.path("kiosk"), ["dead", "segmentation", "--purge", "--older-than", "0"],
      environment: harness.environment, in: harness.folder.path, readsInput: true)
    try await terminal.wait(for: "Forget 9 dead letters of segmentation? [y/N]")
    await program.send(SIGINT)
    #expect(try await program.waitForExit() == .code(130))
    #expect(try await harness.jobQueue().deadLetters(upTo: 99).count == 9)
  }

  @Test(.redisServer) func `dead letters are listed, the latest first, and forgotten by age`()
    async throws
  {
    let harness = try KioskHarness()
    try await makeDeadLetters(harness)
    let now = try await harness.redis.serverTime()
    try await harness.redis.command(
      "ZADD", Keys.deadLetters(of: KioskHarness.queue), now - 7_200_000, "dead0",
      now - 7_300_000, "dead1", now + 1, "dead7")
    let list = try await harness.kiosk("dead", "segmentation", "--json", "--limit", "20")
    let lines = try jsonLines(list.standardOutput)
    #expect(lines.first?["job"] as? String == "dead7" && lines.last?["job"] as? String == "dead1")
    #expect(lines.count == 9)
    #expect(lines.last?["error"] as? String == "ValueError: dark")
    #expect(lines.first { $0["job"] as? String == "dead8" }?["expired"] as? Bool == true)
    let table = try await harness.kiosk("dead", "segmentation", "--match", "timeout")
    #expect(table.standardOutput.contains(/dead0 .*2 h 0 min .*Timeout: slow/))
    #expect(!table.standardOutput.contains("dead1"))

    let refused = try await harness.kiosk("dead", "segmentation", "--purge", "--older-than", "1h")
    #expect(refused.exit == .code(2) && refused.standardError.contains("2 dead letters"))
    let purged = try await harness.kiosk(
      "dead", "segmentation", "--purge", "--older-than", "1h", "--yes")
    #expect(purged.exit == .code(0))
    #expect(purged.standardOutput == "2 dead letters of segmentation forgotten\n")
    #expect(try await harness.jobQueue().deadLetters(upTo: 99).count == 7)
    #expect(try await harness.status(of: "dead0") == "failed")
    #expect(try await harness.kiosk("dead", "segmentation", "--purge").exit == .code(2))
  }

  @Test(.redisServer) func `a paused queue gives no jobs until it is resumed`() async throws {
    let harness = try KioskHarness()
    let queue = harness.jobQueue()
    _ = try await queue.submit("job", ["status": "new"])
    let paused = try await harness.kiosk("pause", "Segmentation", "--json")
    #expect(paused.exit == .code(0))
    #expect(try jsonLines(paused.standardOutput).first?["event"] as? String == "paused")
    #expect(try await queue.claim(upTo: 1).hold == .paused)
    let resumed = try await harness.kiosk("resume", "segmentation")
    #expect(resumed.standardOutput == "segmentation resumed\n" && resumed.standardError == "")
    #expect(try await queue.claim(upTo: 1).jobs.map(\.key) == ["job"])
    let typo = try await harness.kiosk("pause", "segmentatoin")
    #expect(typo.standardError.contains("nothing else is known"))
  }

  @Test(
    .redisServer,
    arguments: [
      ["requeue", "--callbacks", "--dead", "a"], ["requeue", "--callbacks", "--queue", "a"],
      ["requeue", "a", "--callbacks", "--match", "b"], ["dead"],
      ["dead", "--callbacks", "--purge", "--older-than", "7d"], ["requeue"],
      ["requeue", "a", "--dead", "b"], ["requeue", "a", "--match", "b"],
      ["requeue", "--dead", "a", "--queue", "b"], ["cancel"], ["jobs"], ["jobs", "a:b"],
      ["jobs", "a", "--limit", "0"], ["dead", "a", "--older-than", "7d"],
      ["dead", "a", "--purge", "--older-than", "x"],
      ["dead", "a", "--purge", "--older-than", "1d", "--match", "b"], ["pause"], ["resume"],
    ])
  func `wrong usage gives 2 and changes nothing`(arguments: [String]) async throws {
    let harness = try KioskHarness()
    let program = try await harness.start(arguments)
    #expect(try await program.waitForExit(within: .seconds(60)) == .code(2))
    #expect(await program.status.standardOutput == "")
    #expect(try await harness.redis.command("DBSIZE") == 0)
  }
}

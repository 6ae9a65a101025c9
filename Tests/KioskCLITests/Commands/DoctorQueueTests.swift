import Foundation
import JobQueue
import RedisClient
import TestSupport
import Testing

@testable import KioskCLI

/// What the doctor finds of queues and permissions.
@Suite struct DoctorQueueTests {
  /// The findings about a subject, as the program tells people.
  private func lines(
    _ subject: String, _ harness: KioskHarness, exit: Int32 = 0,
    environment: [String: String] = [:]
  ) async throws -> [String] {
    let status = try await harness.kiosk("doctor", environment: environment)
    #expect(status.exit == .code(exit), "\(status.output)")
    return status.standardOutput.split(separator: "\n").map(String.init).filter {
      $0.dropFirst(6).hasPrefix(subject + " ")
    }
  }

  private let queue = KioskHarness.queue

  @Test(.redisServer) func `a queue that gets on has one line`() async throws {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    let lines = try await lines("queue", harness)
    #expect(lines.count == 1)
    #expect(
      lines.first?.contains(/ok +queue +segmentation: 1 wait, 1 in work, 1 consumers/) == true)
  }

  @Test(.redisServer) func `keys of other types fail`() async throws {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    try await harness.redis.command("DEL", Keys.limbo(of: queue), Keys.statistics(of: queue))
    try await harness.redis.command("SET", Keys.limbo(of: queue), "x")
    try await harness.redis.command("SET", Keys.statistics(of: queue), "x")
    let lines = try await lines("queue", harness, exit: 1)
    #expect(lines.count == 2 && lines.allSatisfy { $0.hasPrefix("fail") })
    #expect(
      lines.first?.contains("kiosk:limbo:segmentation is a string, not a zset; see what it") == true
    )
  }

  @Test(.redisServer) func `waiting jobs without a consumer, or in a paused queue, are told`()
    async throws
  {
    let harness = try KioskHarness()
    _ = try await harness.jobQueue().submit("job", ["status": "new"])
    var found = try await lines("queue", harness)
    #expect(found.count == 1)
    #expect(
      found.first?.contains(/warn .*1 jobs wait and no consumer was heard .*QUEUE=segmentation/)
        == true)
    try await harness.jobQueue().pause()
    found = try await lines("queue", harness)
    #expect(found.first?.contains(/warn .*paused; kiosk resume segmentation/) == true)
  }

  @Test(.redisServer) func `a consumer that fell silent and leases nobody ended are told`()
    async throws
  {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    let now = try await harness.redis.serverTime()
    try await harness.redis.command(
      "ZADD", Keys.workers(of: queue), now - 300_000, KioskHarness.worker)
    // Within the time that reaping takes.
    try await harness.redis.command("ZADD", Keys.leases(of: queue), now - 1000, "running")
    var found = try await lines("queue", harness)
    #expect(
      found.contains {
        $0.contains(/warn .*pod-1 was last heard of 5 min ago, with 1 jobs in hand/)
      })
    #expect(!found.contains { $0.contains("leases ended") })
    try await harness.redis.command("ZADD", Keys.leases(of: queue), now - 60_000, "running")
    found = try await lines("queue", harness)
    #expect(found.contains { $0.contains(/warn .*1 leases ended more than 17 s ago; no consumer/) })
    found = try await lines("queue", harness, environment: ["REAP_INTERVAL": "60"])
    #expect(!found.contains { $0.contains("leases ended") })
  }

  @Test(.redisServer) func `parked jobs without children and orphaned entries are told`()
    async throws
  {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    try await harness.redis.command("ZADD", Keys.parked(in: queue), 1, "childless", 1, "parent")
    try await harness.redis.command("SADD", Keys.children(of: "parent"), "child")
    try await harness.redis.command("LPUSH", "processing-segmentation:pod-9", "a", "b", "running")
    let found = try await lines("queue", harness)
    #expect(found.count == 2)
    #expect(found.contains { $0.contains(/warn .*1 parked jobs wait for no child; consumers/) })
    #expect(
      found.contains {
        $0.contains(/warn .*2 jobs without a lease in processing-segmentation:pod-9; if no/)
      })
  }

  private func restrict(_ harness: KioskHarness, _ rules: String...) async throws -> [String:
    String]
  {
    let arguments = ["SETUSER", "tool", "on", ">p", "+@all"] + rules
    try await harness.redis.send(RedisCommand("ACL", arguments: arguments))
    return ["REDIS_USERNAME": "tool", "REDIS_PASSWORD": "p"]
  }

  @Test(.redisServer) func `commands that are denied are named`() async throws {
    let harness = try KioskHarness()
    let user = try await restrict(harness, "~*", "resetchannels", "-spop", "-lmove")
    let found = try await lines("commands", harness, exit: 1, environment: user)
    #expect(found.count == 1)
    #expect(
      found.first?.contains(/fail +commands +denied: LMOVE, PUBLISH, SPOP, SUBSCRIBE; permit/)
        == true)
  }

  @Test(.redisServer) func `queues whose keys are denied are named`() async throws {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    let user = try await restrict(harness, "~kiosk:*", "~segmentation", "&*")
    let found = try await lines("keys", harness, exit: 1, environment: user)
    #expect(found.count == 1)
    #expect(found.first?.contains("denied: processing-segmentation:any; permit") == true)
  }

  @Test func `all commands of the scripts are asked for`() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")
    var used: Set<String> = []
    for module in ["JobQueue", "Callbacks"] {
      let folder = sources.appending(path: "\(module)/Scripts")
      let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      for name in names where name.hasSuffix(".lua") {
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        for match in text.matches(of: /redis\.p?call\('([A-Z]+)'/) { used.insert("\(match.1)") }
      }
    }
    #expect(used.count > 30)
    #expect(used.subtracting(Permissions.commands).isEmpty)
  }

  @Test func `replicas that are not in step are told`() {
    let information = ServerInformation(
      """
      connected_slaves:3
      slave0:ip=10.0.0.1,port=6379,state=online,offset=14,lag=0
      slave1:ip=10.0.0.2,port=6379,state=online,offset=7,lag=61
      slave2:ip=10.0.0.3,port=6379,state=wait_bgsave,offset=0,lag=0
      """)
    #expect(information.replicas.map(\.level) == [.warn])
    #expect(
      information.replicas.first?.state
        == "10.0.0.2:6379 was last heard of 61 s ago; 10.0.0.3:6379 is not in step yet (wait_bgsave)"
    )
    #expect(ServerInformation("connected_slaves:0").replicas.isEmpty)
  }
}

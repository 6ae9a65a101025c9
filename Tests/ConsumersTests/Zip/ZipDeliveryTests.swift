import Foundation
import JobQueue
import RedisClient
import TestSupport
import Testing

@testable import Consumers

/// Archives whose files' jobs, or whose own, do not go their usual way.
@Suite struct ZipDeliveryTests {
  private typealias Member = ZipBytes.Member

  private static let files = ["a.tif", "hang.tif", "c.tif"]

  private func submit(_ bench: ZipBench, _ names: [String] = files) async throws -> String {
    try await bench.submit(names.enumerated().map { Member($1, [UInt8($0 + 1)]) })
  }

  /// Waits until the job of `hang.tif` hangs and the others have ended.
  private func waitUntilHanging(_ bench: ZipBench, _ children: [String]) async throws {
    for child in [children[0], children[2]] { _ = try await bench.harness.end(of: child) }
    try await eventually("a part hangs") {
      try await bench.redis.command("GET", "runs hang.tif").integer ?? 0 > 0
    }
  }

  private func checkEnd(
    of key: String, _ bench: ZipBench, failure words: String
  ) async throws {
    let fields = try await bench.harness.end(of: key)
    #expect(fields["status"] == "done" && fields["total_jobs"] == "3")
    #expect(try bench.result(of: fields).map(\.name) == ["a_feature_0.tif", "c_feature_0.tif"])
    let children = try await bench.keys("children", of: key)
    #expect(fields["children:failed"] == children[1])
    let reason = try ZipBench.decodeForm(fields["failures"])[children[1]]
    #expect(reason?.contains(words) == true, "\(reason ?? "no reason")")
    #expect(bench.objects().count == 3)
  }

  @Test(.redisServer) func `a part that is cancelled is a failure of the archive's`() async throws {
    let bench = try ZipBench()
    let key = try await submit(bench)
    try await bench.withServices {
      let children = try await bench.children(of: key)
      try await waitUntilHanging(bench, children)
      #expect(try await bench.harness.fields(key)["progress"] == "67")
      #expect(try await bench.tool(ConsumerHarness.queue).cancel(children[1]) == .running)
      try await checkEnd(of: key, bench, failure: "Canceled: by ")
    }
  }

  @Test(.redisServer) func `a part that takes too long is a failure of the archive's`()
    async throws
  {
    let bench = try ZipBench()
    let key = try await submit(bench)
    try await bench.withServices(images: nil) {
      let children = try await bench.children(of: key)
      try await bench.redis.command("HSET", Keys.control(of: children[1]), "timeout", 300)
      try await bench.harness.withService(
        PartConsumer.self, on: ConsumerHarness.queue, slots: 2
      ) { _ in try await checkEnd(of: key, bench, failure: "Timeout: ") }
    }
  }

  @Test(.redisServer) func `a part that vanishes is a failure of the archive's`() async throws {
    let bench = try ZipBench()
    let key = try await submit(bench)
    try await bench.withServices {
      let children = try await bench.children(of: key)
      try await waitUntilHanging(bench, children)
      try await bench.redis.command("DEL", children[1])
      _ = try await bench.tool().reconcile()
      try await checkEnd(of: key, bench, failure: "nothing is known of the job")
      // Not made again.
      #expect(try await bench.redis.command("EXISTS", children[1]) == 0)
    }
  }

  @Test(.redisServer) func `a result that is gone or damaged is a failure of the archive's`()
    async throws
  {
    let bench = try ZipBench()
    let key = try await submit(bench, ["a.tif", "b.tif", "c.tif", "d.tif"])
    var children: [String] = []
    try await bench.withServices(images: nil) { children = try await bench.children(of: key) }
    try await bench.harness.withService(PartConsumer.self, on: ConsumerHarness.queue) { _ in
      for child in children { _ = try await bench.harness.end(of: child) }
    }
    func output(_ child: String) async throws -> URL {
      let name = try await bench.harness.fields(child)["output_file_name"]
      return URL(filePath: bench.harness.store.file(try #require(name)))
    }
    try await FileManager.default.removeItem(at: output(children[0]))
    try await Data("no archive".utf8).write(to: output(children[2]))
    try await bench.withServices {
      let fields = try await bench.harness.end(of: key)
      #expect(fields["status"] == "done")
      #expect(try bench.result(of: fields).map(\.name) == ["b_feature_0.tif", "d_feature_0.tif"])
      #expect(fields["children:failed"] == "\(children[0]),\(children[2])")
      let failures = try ZipBench.decodeForm(fields["failures"])
      #expect(failures[children[0]]?.contains("does not exist") == true)
      #expect(failures[children[2]]?.contains("the result of c.tif is not a ZIP archive") == true)
      #expect(fields["prediction_time"] == "0.1,0.1")
    }
  }

  @Test(.redisServer)
  func `an archive that is cancelled while it waits ends its parts, and its objects go`()
    async throws
  {
    let bench = try ZipBench()
    let key = try await submit(bench)
    let sweep = ObjectSweep(bench.contextOfArchives)
    try await bench.withServices {
      let children = try await bench.children(of: key)
      try await waitUntilHanging(bench, children)
      // A job that waits keeps its objects.
      await sweep.run()
      #expect(bench.objects().contains { $0.hasSuffix("/hang.tif") })

      #expect(try await bench.tool().cancel(key) == .canceled)
      let fields = try await bench.harness.fields(key)
      #expect(fields["status"] == "failed" && fields["error_code"] == "canceled")
      #expect(try await bench.harness.end(of: children[1])["error_code"] == "canceled")
    }
    await sweep.run()
    #expect(bench.objects().allSatisfy { $0.hasSuffix(".zip") }, "\(bench.objects())")
    #expect(try await bench.redis.command("EXISTS", Keys.objectMakers(of: ZipBench.list)) == 0)
  }

  @Test(.redisServer) func `objects of a job whose hash is gone are removed`() async throws {
    let bench = try ZipBench()
    let key = try await submit(bench)
    try await bench.withServices(images: nil) { _ = try await bench.children(of: key) }
    try await bench.redis.command("DEL", key)
    await ObjectSweep(bench.contextOfArchives).run()
    #expect(bench.objects() == [])
  }

  @Test(.redisServer) func `a worker that is stopped puts the archive back, and it goes on`()
    async throws
  {
    let bench = try ZipBench()
    let key = try await submit(bench, (0..<60).map { "\($0).tif" })
    // Stopped somewhere in the midst of making the parts.
    try await bench.withServices(images: nil) {
      try await eventually("objects are made") { !bench.objects().isEmpty }
    }
    try await bench.withServices {
      let fields = try await bench.harness.end(of: key)
      #expect(fields["status"] == "done" && fields["total_jobs"] == "60")
      #expect(fields["failures"] == "")
    }
    for name in 0..<60 {
      #expect(try await bench.redis.command("GET", "runs \(name).tif").integer == 1)
    }
    #expect(bench.objects().count == 61)
  }

  @Test(.redisServer) func `a waiting archive of a Python consumer is taken over`() async throws {
    let bench = try ZipBench()
    let redis = bench.redis
    // As it leaves a job between two looks at its parts: in the queue, two parts in work or waiting.
    let uploads = URL(filePath: bench.harness.store.file("output/4b7a"))
    try FileManager.default.createDirectory(at: uploads, withIntermediateDirectories: true)
    var children: [String] = []
    for (index, name) in ["done.tif", "new 1.tif", "broken.tif", "new 2.tif", "gone.tif"]
      .enumerated()
    {
      try Data([1, 2]).write(to: uploads.appending(path: name))
      let child = "predict:\(name):" + String(repeating: "\(index)", count: 32)
      children.append(child)
      if name == "gone.tif" { continue }
      try await redis.command(
        "HSET", child, "original_name", name, "input_file_name", "output/4b7a/\(name)", "status",
        "new", "created_at", "2026-11-21T01:41:40.498218+00:00", "updated_at",
        "2026-11-21T01:41:40.498218+00:00", "identity_upload", "peer-zip", "updated_by", "peer-zip")
      if name.hasPrefix("new") { try await redis.command("LPUSH", "predict", child) }
    }
    let archive = URL(filePath: bench.harness.store.file("output/5c.zip"))
    try Data(ZipBytes([Member("done_batch_0_feature_0.tif", [7])]).bytes).write(to: archive)
    try await redis.command(
      "HSET", children[0], "status", "done", "output_file_name", "output/5c.zip", "total_time",
      "0.25")
    try await redis.command(
      "HSET", children[2], "status", "failed", "reason",
      "Traceback (most recent call last):\n  File \"a.py\"\nValueError: no & good = file")
    let key = "predict-zip:plate.zip:6cbfb29e"
    try await redis.command(
      "HSET", key, "original_name", "plate.zip", "input_file_name", "uploads/plate.zip", "status",
      "waiting", "children", children.joined(separator: ","), "children_upload_time", "0.24",
      "progress", "40", "updated_at", "2026-11-21T01:41:40.539536+00:00", "updated_by", "peer-zip")
    try await redis.command("LPUSH", ZipBench.list, key)

    try await bench.withServices {
      let fields = try await bench.harness.end(of: key)
      #expect(fields["status"] == "done" && fields["total_jobs"] == "5")
      #expect(fields["children"] == children.joined(separator: ","))
      #expect(fields["children_upload_time"] == "0.24")
      #expect(fields["children:done"] == [0, 1, 3].map { children[$0] }.joined(separator: ","))
      #expect(fields["children:failed"] == "\(children[2]),\(children[4])")
      #expect(
        try bench.result(of: fields).map(\.name) == [
          "done_batch_0_feature_0.tif", "new 1_feature_0.tif", "new 2_feature_0.tif",
        ])
      #expect(fields["total_time"]?.hasPrefix("0.25,") == true)
      let failures = try ZipBench.decodeForm(fields["failures"])
      #expect(failures[children[2]]?.hasSuffix("\nValueError: no & good = file") == true)
      #expect(failures[children[4]]?.isEmpty == false)
    }
    #expect(try await redis.command("EXISTS", children[4]) == 0)
  }

  @Test(.redisServer) func `a Python consumer can go on with a waiting archive`() async throws {
    let bench = try ZipBench()
    let redis = bench.redis
    let key = try await bench.submit([Member("a,b.tif"), Member("fail.tif"), Member("c.tif")])
    try await bench.withServices(images: nil) { _ = try await bench.children(of: key) }
    // A job that waits for its parts is in no list.
    #expect(try await bench.harness.list(ZipBench.list).isEmpty)
    try await bench.harness.withService(PartConsumer.self, on: ConsumerHarness.queue) { _ in
      try await eventually("the last part has woken the archive") {
        try await bench.harness.list(ZipBench.list) == [key]
      }
    }

    // What that consumer looks at: the key in its list, the status, children by commas, each one's
    // status, result and reason.
    let list = "processing-predict-zip:peer-zip"
    #expect(try await redis.command("RPOPLPUSH", ZipBench.list, list).string == key)
    let fields = try await bench.harness.fields(key)
    #expect(fields["status"] == "waiting" && fields["progress"] == "100")
    let children = (fields["children"] ?? "").components(separatedBy: ",")
    #expect(children.count == 3)
    let statuses = try await [
      bench.harness.fields(children[0]), bench.harness.fields(children[1]),
      bench.harness.fields(children[2]),
    ]
    #expect(statuses.map { $0["status"] } == ["done", "failed", "done"])
    #expect(statuses[0]["output_file_name"] != nil && statuses[1]["reason"] != nil)
    try await redis.command("HSET", key, "status", "done", "output_url", "theirs")
    try await redis.command("LREM", list, 1, key)

    // It stays as that consumer left it, though somebody pushes it once more.
    try await redis.command("LPUSH", ZipBench.list, key)
    try await bench.withServices {
      try await eventually("the entry is dropped") {
        try await bench.harness.list(ZipBench.list).isEmpty
      }
      _ = try await bench.tool().reconcile()
    }
    #expect(try await bench.harness.fields(key)["output_url"] == "theirs")
    #expect(try await bench.harness.list(list).isEmpty)
  }
}

extension ZipBench {
  var contextOfArchives: ConsumerContext {
    var context = harness.context
    context.queue = tool()
    return context
  }
}

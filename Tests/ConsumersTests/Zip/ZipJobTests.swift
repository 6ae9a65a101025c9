import Consumers
import Foundation
import JobQueue
import RedisClient
import TestSupport
import Testing

/// Whole jobs of archives.
@Suite struct ZipJobTests {
  private typealias Member = ZipBytes.Member

  @Test(.redisServer) func `files of all names are done, in the order of the archive`() async throws
  {
    let bench = try ZipBench()
    let names = [
      "z.tif", "sub dir/é日本.png", "a,b.tif", "no:1 %41+&=?.tif", "deep/er/a.tif", ".hidden.tif",
      "__MACOSX/._z.tif", "README", "folder.d/plain", "Z.TIF",
    ]
    var members = names.enumerated().map { Member($1, [UInt8($0 + 1)]) }
    members.insert(Member("deep/", []), at: 3)
    members.append(Member(nameBytes: [0x81, 0x2E, 0x74, 0x69, 0x66]))  // "ü.tif" as DOS wrote it
    let key = try await bench.submit(members)
    try await bench.withServices {
      let fields = try await bench.harness.end(of: key)
      #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
      let used =
        names.filter { !$0.hasPrefix("__") && $0 != "README" && !$0.hasSuffix("plain") }
        + ["ü.tif"]
      #expect(fields["total_jobs"] == String(used.count))
      #expect(fields["failures"] == "" && fields["children:failed"] == "")
      #expect(fields["progress"] == "100")

      let children = try await bench.keys("children", of: key)
      #expect(children.count == used.count)
      #expect(fields["children:done"] == fields["children"])
      for (child, name) in zip(children, used) {
        let child = try await bench.harness.fields(child)
        #expect(child["original_name"] == name)
        #expect(child["identity_upload"] == "pod-of-predict-zip")
      }
      let results = try bench.result(of: fields).map(\.name)
      #expect(results == used.map { $0.dropLast(4) + "_feature_0.tif" })
      let times = (fields["prediction_time"] ?? "").split(separator: ",")
      #expect(times.count == used.count)
    }
  }

  @Test(.redisServer) func `files of one name but for the ending keep their results`() async throws
  {
    let bench = try ZipBench()
    let key = try await bench.submit([Member("a.tif"), Member("a.png"), Member("sub/a.png")])
    try await bench.withServices {
      let results = try bench.result(of: await bench.harness.end(of: key)).map(\.name)
      #expect(results == ["a_feature_0.tif", "a.png/a_feature_0.tif", "sub/a_feature_0.tif"])
    }
  }

  @Test(.redisServer)
  func `files that are no images fail with a reason, and the others are done`() async throws {
    let models = try BrightModels(side: 256).serve()
    let bench = try ZipBench(models: models.client)
    let image = Array(
      try Data(contentsOf: URL(filePath: Fixtures.jobs + "/inputs/nuclear_256.tif")))
    let key = try await bench.submit([
      Member("notes.txt", Array("cells".utf8)), Member("good.tif", image),
      Member("inner.zip", ZipBytes([Member("a.tif")]).bytes), Member("empty.tif", []),
    ])
    try await bench.withServices(images: consumers["image"]) {
      let fields = try await bench.harness.end(of: key)
      #expect(fields["status"] == "done" && fields["total_jobs"] == "4")
      #expect(try bench.result(of: fields).map(\.name) == ["good_batch_0_feature_0.tif"])
      let children = try await bench.keys("children", of: key)
      #expect(fields["children:done"] == children[1])
      #expect(fields["children:failed"] == [0, 2, 3].map { children[$0] }.joined(separator: ","))
      let failures = try ZipBench.decodeForm(fields["failures"])
      #expect(failures.count == 3)
      for (child, words) in [(0, "notes.txt"), (2, "is a zip archive"), (3, "empty.tif")] {
        #expect(failures[children[child]]?.contains(words) == true, "\(failures)")
        #expect(failures[children[child]]?.hasPrefix("InvalidInput: ") == true)
      }
    }
    withExtendedLifetime(models) {}
    // An archive in an archive is opened by nobody.
    #expect(try await bench.harness.list(ZipBench.list).isEmpty)
  }

  @Test(.redisServer) func `what the producer asked for goes to every file`() async throws {
    let bench = try ZipBench()
    let asked = ["channels": "0,", "dimension_order": "XY", "scale": "0.8", "label": "1"]
    let key = try await bench.submit(
      [Member("a.tif")],
      fields: asked.merging(["attempts": "1", "parent": "x", "junk": "y"]) { $1 })
    try await bench.withServices(images: nil) {
      let child = try await bench.harness.fields(bench.children(of: key)[0])
      for (name, value) in asked { #expect(child[name] == value) }
      #expect(child["attempts"] == nil && child["parent"] == nil && child["junk"] == nil)
      #expect(child["children"] == nil && child["identity_started"] == nil)
      #expect(child["status"] == "new")
      let parent = try await bench.harness.fields(key)
      #expect(parent["progress"] == "0")
      #expect(parent["children_upload_time"].flatMap(Double.init) != nil)
    }
  }

  @Test(.redisServer) func `an archive whose files all fail is done, with an empty result`()
    async throws
  {
    let bench = try ZipBench()
    let key = try await bench.submit([Member("fail 1.tif"), Member("fail, 2.tif")])
    try await bench.withServices {
      let fields = try await bench.harness.end(of: key)
      #expect(fields["status"] == "done" && fields["total_jobs"] == "2")
      #expect(try bench.result(of: fields).isEmpty)
      #expect(fields["children:done"] == "" && fields["prediction_time"] == "")
      #expect(try ZipBench.decodeForm(fields["failures"]).count == 2)
    }
  }

  @Test(.redisServer) func `files for children are private and go with the parent`() async throws {
    let bench = try ZipBench()
    let key = try await bench.submit([Member("sub/a.tif"), Member("b.tif"), Member("fail.tif")])
    try await bench.withServices(images: nil) {
      let children = try await bench.children(of: key)
      let inputs = try await bench.harness.fields(children[0])["input_file_name"] ?? ""
      let match = try #require(inputs.wholeMatch(of: /output\/([0-9a-f]{32})\/sub\/a\.tif/))
      let folder = String(match.1)
      #expect(
        bench.objects() == [
          folder, "\(folder)/b.tif", "\(folder)/fail.tif", "\(folder)/sub", "\(folder)/sub/a.tif",
        ])
    }
    try await bench.withServices {
      let fields = try await bench.harness.end(of: key)
      // The results of the parent and of two children.
      let left = bench.objects()
      #expect(left.count == 3 && left.allSatisfy { $0.hasSuffix(".zip") }, "\(left)")
      #expect(fields["cleanup_time"].flatMap(Double.init) != nil)
    }
    #expect(try await bench.redis.command("KEYS", "kiosk:objects*").decode([String].self) == [])
  }

  @Test(.redisServer, arguments: [nil, 60, 100_000])
  func `children expire an hour after their parent, or before`(clientTime: Int?) async throws {
    let bench = try ZipBench()
    let key = try await bench.submit([Member("a.tif"), Member("fail.tif")])
    try await bench.withServices(images: nil) {
      let children = try await bench.children(of: key)
      try await bench.harness.withService(PartConsumer.self, on: ConsumerHarness.queue) { _ in
        for child in children { _ = try await bench.harness.end(of: child) }
      }
      if let clientTime { try await bench.redis.command("EXPIRE", children[0], clientTime) }
      _ = try await bench.harness.end(of: key)
      let times: [Int] = try await [
        bench.redis.command("TTL", children[0]).decode(),
        bench.redis.command("TTL", children[1]).decode(),
      ]
      // A client may have been quicker than the parent: it has ended as soon as its last child has.
      #expect(times[0] > 0 && times[0] <= max(3600, clientTime ?? 0))
      #expect((3500...3600).contains(times[1]))
    }
  }

  @Test(.redisServer) func `an archive that runs again after its end makes its jobs anew`()
    async throws
  {
    let bench = try ZipBench()
    let key = try await bench.submit([Member("a.tif"), Member("b.tif")])
    try await bench.withServices {
      let first = try await bench.harness.end(of: key)
      #expect(try await bench.tool().requeue(key) == .requeued)
      let second = try await bench.harness.end(of: key)
      #expect(second["status"] == "done" && second["total_jobs"] == "2")
      #expect(second["children"] != first["children"])
      #expect(try bench.result(of: second).map(\.name) == ["a_feature_0.tif", "b_feature_0.tif"])
      #expect(second["output_file_name"] != first["output_file_name"])
    }
    #expect(bench.objects().allSatisfy { $0.hasSuffix(".zip") })
    #expect(try await bench.redis.command("GET", "runs a.tif").integer == 2)
  }
}

import Arrays
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import TestSupport
import Testing

/// Archives done by two processes, one for them and one for the images in them.
@Suite struct ArchiveTests {
  /// A consumer process that can be killed and comes back.
  private struct Daemon {
    let type: String
    var process: ChildProcess
    var starts = 1
  }

  private static let delivery = [
    "LEASE_TIME": "1.5", "JOB_HEARTBEAT_INTERVAL": "0.4", "REAP_INTERVAL": "0.4",
    "MAX_DELIVERIES": "50", "STORAGE_FILE_FSYNC": "false",
  ]

  private func start(
    _ type: String, _ harness: DaemonHarness, name: String? = nil
  ) async throws -> ChildProcess {
    try await harness.startDaemon(
      Self.delivery.merging(["CONSUMER_TYPE": type, "HOSTNAME": name ?? "pod-\(type)"]) { $1 })
  }

  private static let image = DaemonHarness.inputs + "/nuclear_256.tif"

  @Test(.redisServer, arguments: 0..<5)
  func `an archive ends once, with all its results, whichever process is killed`(
    seed: Int
  ) async throws {
    var generator = SeededGenerator(seed: seed)
    let harness = try DaemonHarness()
    let image = try Data(contentsOf: URL(filePath: Self.image))
    let names = ["z.tif", "sub/a.tif", "bad.tif", "a,b.tif", "q.tif"]
    var keys: [String] = []
    for number in 0..<2 {
      let archive = harness.store.file("uploads/\(number).zip")
      try FileManager.default.createDirectory(
        atPath: harness.store.file("uploads"), withIntermediateDirectories: true)
      try ZipWriter.write(
        names.map { name in
          ZipEntry(name: name, content: .bytes(name == "bad.tif" ? [1, 2, 3] : Array(image)))
        }, to: archive, name: "\(number).zip")
      keys.append(
        try await JobSubmission(
          queue: DaemonHarness.queue, originalName: "\(number).zip",
          inputFileName: "uploads/\(number).zip", fields: ["channels": "0,"]
        ).submit(to: harness.redis, submitter: "test"))
    }

    var daemons = [
      Daemon(type: "zip", process: try await start("zip", harness)),
      Daemon(type: "image", process: try await start("image", harness)),
    ]
    for _ in 0..<6 {
      try await Task.sleep(for: .milliseconds(Int.random(in: 30...900, using: &generator)))
      let victim = Int.random(in: 0...1, using: &generator)
      await daemons[victim].process.send(SIGKILL)
      _ = try await daemons[victim].process.waitForExit()
      daemons[victim].starts += 1
      // The same pod again, or another one.
      let type = daemons[victim].type
      let name =
        Bool.random(using: &generator) ? "pod-\(type)" : "pod-\(type)-\(daemons[victim].starts)"
      daemons[victim].process = try await start(type, harness, name: name)
    }

    let zipQueue = Keys.zipQueue(of: DaemonHarness.queue)
    for key in keys {
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
      #expect(fields["total_jobs"] == String(names.count) && fields["progress"] == "100")
      let children = (fields["children"] ?? "").split(separator: ",").map(String.init)
      #expect(children.count == names.count)
      #expect(fields["children:failed"] == children[2])
      let results = try ZipReader(
        path: harness.store.file(fields["output_file_name"] ?? ""), name: "the result")
      #expect(
        results.members.map(\.name)
          == names.filter { $0 != "bad.tif" }.map {
            $0.dropLast(4) + "_batch_0_feature_0.tif"
          })
      for member in results.members {
        let labels = try ImageFile.decode(
          results.bytes(of: member, limit: .max), name: member.name)
        #expect(labels.pixels.shape == [256, 256])
      }
      #expect(try await ends(of: key, in: zipQueue, harness) == ["done"])
      for (child, name) in Swift.zip(children, names) {
        let end = name == "bad.tif" ? "failed" : "done"
        #expect(try await ends(of: child, in: DaemonHarness.queue, harness) == [end])
      }
    }
    for daemon in daemons {
      // The last one to come may have found nothing left to do.
      try await daemon.process.wait(forOutput: "started")
      #expect(try await daemon.process.stop() == .code(0))
    }
    #expect(try await harness.list(DaemonHarness.queue).isEmpty)
    #expect(try await harness.list(zipQueue).isEmpty)
    let lists: [String] = try await harness.redis.command("KEYS", "processing-*").decode()
    #expect(lists == [])
    #expect(try await harness.redis.command("EXISTS", Keys.objectMakers(of: zipQueue)) == 0)
    // Of what was made for the images nothing is left but unfinished files, which have hidden names.
    let output = harness.store.file("output")
    let left = try FileManager.default.subpathsOfDirectory(atPath: output).filter { path in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: output + "/" + path, isDirectory: &isFolder)
      return !isFolder.boolValue && !path.split(separator: "/").contains { $0.hasPrefix(".") }
    }
    #expect(left.allSatisfy { !$0.contains("/") && $0.hasSuffix(".zip") }, "\(left)")
  }

  /// The ends that a job's events tell of.
  private func ends(
    of key: String, in queue: String, _ harness: DaemonHarness
  ) async throws -> [String] {
    let entries = try #require(
      try await harness.redis.command("XRANGE", Keys.events(of: queue), "-", "+").array)
    return try entries.compactMap { entry in
      let fields: [String: String] = try #require(entry.array?[1]).decode()
      guard fields["job"] == key, let event = fields["event"] else { return nil }
      return ["done", "failed", "canceled", "gone"].contains(event) ? event : nil
    }
  }

  @Test(.redisServer) func `kiosk sends archives and folders and brings back what came of them`()
    async throws
  {
    let harness = try DaemonHarness()
    let folder = try TemporaryFolder()
    let plate = folder.file("plate")
    try FileManager.default.createDirectory(atPath: plate, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Self.image, toPath: plate + "/single.tif")
    let image = Array(try Data(contentsOf: URL(filePath: Self.image)))
    let entries = ["row 1/a.tif", "row 2/a.tif"].map { ZipEntry(name: $0, content: .bytes(image)) }
    try ZipWriter.write(entries, to: plate + "/wells.zip", name: "wells.zip")
    try ZipWriter.write(
      entries + [ZipEntry(name: "notes.txt", content: .bytes([65]))],
      to: folder.file("mixed.zip"), name: "mixed.zip")

    let daemons = [try await start("zip", harness), try await start("image", harness)]
    func kiosk(_ arguments: String...) async throws -> ChildProcess.Status {
      let program = try await ChildProcess.start(
        BuiltProduct.path("kiosk"), ["run"] + arguments + ["-t", DaemonHarness.queue],
        environment: harness.environment(["HOSTNAME": "laptop"]), workingDirectory: folder.path)
      try await program.waitForExit(within: .seconds(60))
      return await program.status
    }
    let good = try await kiosk("plate", "--recursive", "-o", "results", "--csv", "--overlay")
    #expect(good.exit == .code(0), "\(good.output)")
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.file("results"))
      .filter { $0.contains(".") }.sorted()
    #expect(
      files == [
        "row 1/a_batch_0_feature_0.tif", "row 1/a_batch_0_feature_0_overlay.png",
        "row 2/a_batch_0_feature_0.tif", "row 2/a_batch_0_feature_0_overlay.png",
        "single_batch_0_feature_0.tif", "single_batch_0_feature_0_overlay.png",
        "single_cells.csv", "wells_cells.csv",
      ])
    let table = try String(
      contentsOf: URL(filePath: folder.file("results/wells_cells.csv")), encoding: .utf8)
    #expect(table.contains("\nrow 2/a,0,0,1,"))

    let mixed = try await kiosk("mixed.zip", "-o", "mixed")
    #expect(mixed.exit == .code(1), "\(mixed.output)")
    #expect(mixed.standardError.contains("notes.txt"), "\(mixed.output)")
    #expect(
      FileManager.default.fileExists(
        atPath: folder.file("mixed/row 1/a_batch_0_feature_0.tif")))
    for daemon in daemons { #expect(try await daemon.stop() == .code(0)) }
  }
}

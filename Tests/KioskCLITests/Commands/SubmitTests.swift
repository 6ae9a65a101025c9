import Foundation
import RedisClient
import TestSupport
import Testing

@Suite struct SubmitTests {
  @Test(.redisServer) func `folders give their images, named by their place below`() async throws {
    let harness = try KioskHarness()
    for name in ["plate/b/2.tif", "plate/a 1.TIFF", "plate/.hidden.tif", "plate/__MACOSX/x.tif"] {
      try harness.makeImage(name)
    }
    try Data("text".utf8).write(to: URL(filePath: harness.folder.file("plate/notes.txt")))
    try FileManager.default.createSymbolicLink(
      atPath: harness.folder.file("plate/b/loop"), withDestinationPath: "..")
    let status = try await harness.kiosk("submit", "plate", "-t", "segmentation", "--recursive")
    #expect(status.exit == .code(0))
    let names = [try await harness.takeJob(), try await harness.takeJob()].map(\.originalName)
    #expect(names.sorted() == ["a 1.TIFF", "b/2.tif"])
    #expect(try await harness.redis.command("LLEN", KioskHarness.queue) == 0)
    #expect(status.standardOutput.split(separator: "\n").count == 2)
    #expect(
      status.standardError.contains(
        "note: plate: left out 4 files that are hidden, empty or no images, such as .hidden.tif\n"))
  }

  @Test(.redisServer) func `a job without options has the fields that producers always write`()
    async throws
  {
    let harness = try KioskHarness()
    try harness.makeImage()
    #expect(try await harness.kiosk("submit", "cells.tif", "-t", "x").exit == .code(0))
    let job = try await harness.takeJob("x")
    #expect(job.fields["cuts"] == "0")
    #expect(job.fields["field_size"] == nil)
  }

  @Test(.redisServer) func `archives go to the queue for archives`() async throws {
    let harness = try KioskHarness()
    try Data("PK".utf8).write(to: URL(filePath: harness.folder.file("all.ZIP")))
    let status = try await harness.kiosk("submit", "all.ZIP", "-t", "Segmentation", "--json")
    let job = try await harness.takeJob("segmentation-zip")
    #expect(try jsonLines(status.standardOutput).first?["job"] as? String == job.key)
  }

  @Test(.redisServer) func `a dry run shows the jobs and touches nothing`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    try await harness.server.stop()
    let plain = try await harness.kiosk(
      "run", "cells.tif", "-t", "segmentation", "--channels", "0,1", "--dry-run", "-o", "out")
    #expect(plain.exit == .code(0))
    #expect(plain.standardOutput.contains("-> queue segmentation channels=0,1"))
    let json = try await harness.kiosk("submit", "cells.tif", "-t", "x", "--dry-run", "--json")
    #expect(try jsonLines(json.standardOutput).first?["queue"] as? String == "x")
    #expect(harness.files(in: ".") == ["cells.tif"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: harness.bucket.path) == [])
  }

  @Test(.redisServer) func `a job that cannot be made leaves no input behind`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    try await harness.redis.command("SET", KioskHarness.queue, "not a list")
    let status = try await harness.kiosk("submit", "cells.tif", "-t", KioskHarness.queue)
    #expect(status.exit == .code(3))
    #expect(status.standardError.contains("WRONGTYPE"))
    let left = FileManager.default.enumerator(atPath: harness.bucket.path)?.allObjects
    #expect(left?.contains { "\($0)".hasSuffix(".tif") } == false)
  }
}

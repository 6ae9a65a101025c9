import Foundation
import ImageFiles
import RedisClient
import TestSupport
import Testing

@Suite struct FetchTests {
  @Test(.redisServer) func `fetch takes the image of the overlay from the bucket`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    try FileManager.default.createDirectory(
      atPath: harness.bucket.file("uploads"), withIntermediateDirectories: true)
    try FileManager.default.moveItem(
      atPath: harness.folder.file("cells.tif"), toPath: harness.bucket.file("uploads/cells.tif"))
    let key = try await harness.makeJob(
      "cells.tif", ["status": "done", "output_file_name": harness.putLabels()])
    let status = try await harness.kiosk("fetch", key, "-o", "new/folder", "--overlay")
    #expect(status.exit == .code(0))
    #expect(
      harness.files(in: "new/folder") == [
        "cells_batch_0_feature_0.tif", "cells_batch_0_feature_0_overlay.png",
      ])
    #expect((3590...3600).contains(try await harness.timeToLive(key)))
  }

  @Test(.redisServer) func `a picture that cannot be drawn does not cost the result`()
    async throws
  {
    let harness = try KioskHarness()
    let key = try await harness.makeJob(
      "gone.tif", ["status": "done", "output_file_name": harness.putLabels()])
    let status = try await harness.kiosk("fetch", key, "-o", "out", "--overlay")
    #expect(status.exit == .code(0))
    #expect(harness.files(in: "out") == ["cells_batch_0_feature_0.tif"])
    #expect(status.standardError.contains("note: gone.tif: no picture"))
  }

  @Test(.redisServer) func `a job that is not done, or whose result is gone, gives 1`()
    async throws
  {
    let harness = try KioskHarness()
    let running = try await harness.makeJob("a.tif", ["status": "predicting"])
    let gone = try await harness.makeJob(
      "b.tif", ["status": "done", "output_file_name": "output/none.zip"])
    let hostile = try await harness.makeJob(
      "c.tif", ["status": "done", "output_file_name": "output/../../etc/passwd"])
    let status = try await harness.kiosk("fetch", running, gone, hostile, "-o", "out")
    #expect(status.exit == .code(1))
    #expect(status.standardError.contains("error: a.tif: not done yet (predicting)"))
    #expect(status.standardError.contains("error: b.tif: output/none.zip does not exist"))
    #expect(status.standardError.contains("error: c.tif: "))
    #expect(harness.files(in: "out") == [])
    #expect(try await harness.timeToLive(gone) == -1)
  }

  @Test(.redisServer) func `a second fetch replaces the files of the first`() async throws {
    let harness = try KioskHarness()
    let key = try await harness.makeJob(
      "cells.tif", ["status": "done", "output_file_name": harness.putLabels()])
    for _ in 0..<2 { #expect(try await harness.kiosk("fetch", key, "-o", "out").exit == .code(0)) }
    #expect(harness.files(in: "out") == ["cells_batch_0_feature_0.tif"])
  }
}

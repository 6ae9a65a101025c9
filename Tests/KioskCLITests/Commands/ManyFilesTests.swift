import Foundation
import Synchronization
import TestSupport
import Testing

@testable import KioskCLI

@Suite struct ManyFilesTests {
  @Test(.redisServer) func `five hundred files of two folders go through one call`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let image = try Data(contentsOf: URL(filePath: harness.folder.file("cells.tif")))
    for folder in ["left", "right"] {
      try FileManager.default.createDirectory(
        atPath: harness.folder.file(folder), withIntermediateDirectories: true)
      for index in 0..<250 {
        try image.write(to: URL(filePath: harness.folder.file("\(folder)/\(index).tif")))
      }
    }
    let program = try await harness.start([
      "run", "left", "right/", "--recursive", "-t", "segmentation", "-o", "out", "--csv",
      "--jobs", "3",
    ])
    var mostTransfers = 0
    var peak = 0
    for _ in 0..<500 {
      let job = try await harness.takeJob()
      let stem = String(job.originalName.dropLast(4))
      try await harness.finish(job.key, output: harness.putLabels(stem: stem))
      let entries = try FileManager.default.contentsOfDirectory(atPath: harness.folder.file("out"))
      mostTransfers = max(mostTransfers, entries.count { $0.hasPrefix(".kiosk-") })
      peak = max(peak, peakMemory(of: program.processIdentifier) ?? 0)
    }
    #expect(try await program.waitForExit(within: .seconds(60)) == .code(0))

    let files = harness.files(in: "out")
    #expect(files.count == 1000)
    for index in 0..<250 {
      let labels = "\(index)_batch_0_feature_0.tif"
      let names = files.filter { $0 == labels || $0.hasSuffix("/" + labels) }
      #expect(names == ["left/\(labels)", "right/\(labels)"])
      #expect(files.contains("left/\(index)_cells.csv"))
      #expect(files.contains("right/\(index)_cells.csv"))
    }
    #expect((1...3).contains(mostTransfers))
    #expect((1..<200 << 20).contains(peak), "\(peak >> 20) MiB")
    let output = await program.status.standardOutput
    #expect(output.components(separatedBy: ": 2 cells").count == 501)
  }

  /// In bytes; nil once the process has ended.
  private func peakMemory(of process: pid_t) -> Int? {
    let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = text?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1024 }
  }

  @Test(.redisServer) func `equal names below folders keep their results apart`() async throws {
    let harness = try KioskHarness()
    for name in ["plate/a/1.tif", "plate/b/1.tif", "plate/1.tif"] { try harness.makeImage(name) }
    let program = try await harness.start([
      "run", "plate", "--recursive", "-t", "segmentation", "-o", "out", "--geojson",
    ])
    var names: Set<String> = []
    for _ in 0..<3 {
      let job = try await harness.takeJob()
      names.insert(job.originalName)
      // As the service names its files: after the whole name.
      let stem = String(job.originalName.dropLast(4))
      try await harness.finish(job.key, output: harness.putLabels(stem: stem))
    }
    #expect(try await program.waitForExit() == .code(0))
    #expect(names == ["1.tif", "a/1.tif", "b/1.tif"])
    #expect(
      harness.files(in: "out")
        == ["", "a/", "b/"].flatMap {
          ["\($0)1_batch_0_feature_0.tif", "\($0)1_cells.geojson"]
        })
  }

  @Test(.redisServer) func `images of several folders are called after their folders`()
    async throws
  {
    let harness = try KioskHarness()
    for name in ["x/plate1/A1.tif", ".plate2/A1.tif", "B1.tif"] { try harness.makeImage(name) }
    let status = try await harness.kiosk(
      "submit", "x/plate1/", "./.plate2", "B1.tif", "-t", KioskHarness.queue, "--recursive")
    #expect(status.exit == .code(0), "\(status.output)")
    var names: Set<String> = []
    for _ in 0..<3 { names.insert(try await harness.takeJob().originalName) }
    #expect(names == ["plate1/A1.tif", "plate2/A1.tif", "B1.tif"])
  }

  @Test(.redisServer) func `a folder that cannot be used is wrong usage`() async throws {
    let harness = try KioskHarness()
    try FileManager.default.createDirectory(
      atPath: harness.folder.file("empty/.git"), withIntermediateDirectories: true)
    let status = try await harness.kiosk("submit", "empty", "-t", "x", "--recursive")
    #expect(status.exit == .code(2))
    #expect(status.standardError.contains("error: empty: no image files in this folder"))
    #expect(status.standardError.contains("left out .git, which is hidden"))
  }

  @Test(arguments: [1, 3, 8]) func `no more tasks run at a time than allowed`(limit: Int)
    async throws
  {
    let state = Mutex((running: 0, most: 0, done: 0))
    try await forEach((0..<200).asStream, atMost: limit) { _ in
      state.withLock {
        $0.running += 1
        $0.most = max($0.most, $0.running)
      }
      for _ in 0..<5 { await Task.yield() }
      state.withLock {
        $0.running -= 1
        $0.done += 1
      }
    }
    let (running, most, done) = state.withLock { $0 }
    #expect(running == 0)
    #expect((1...limit).contains(most))
    #expect(done == 200)
  }

  @Test func `the first error ends the others and is thrown`() async {
    struct Failure: Error {}
    let started = Mutex(0)
    await #expect(throws: Failure.self) {
      try await forEach((0..<100).asStream, atMost: 2) { index in
        started.withLock { $0 += 1 }
        if index == 1 { throw Failure() }
        try await Task.sleep(for: .seconds(60))
      }
    }
    #expect(started.withLock { $0 } <= 4)
  }
}

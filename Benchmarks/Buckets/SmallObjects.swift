import Buckets
import Foundation
import TestSupport

/// 1,000 objects of 1 kB, 16 at a time.
enum SmallObjects {
  private static let count = 1000
  private static let atOnce = 16

  static func measure(_ stage: Stage) async throws {
    let files = try (0..<count).map { try stage.makeFile("small-\($0).bin", byteCount: 1000) }
    let bucket = try stage.bucket()
    let up = try await Usage.best {
      try await upload(files, bucket)
    } theirs: {
      try await curl(
        stage, files.map { ("upload-file", $0.path, stage.url("curl/\($0.lastPathComponent)")) })
    }
    report("1,000 objects of 1 kB up, 16 at a time", up)

    let down = try await Usage.best {
      try await download(files, bucket, stage)
    } theirs: {
      try await curl(
        stage, files.map { ("output", $0.path, stage.url("output/\($0.lastPathComponent)")) })
    }
    report("1,000 objects of 1 kB down, 16 at a time", down)
    await bucket.close()

    let proxy = try await FaultProxy(to: stage.server.port)
    let counted = try stage.bucket(at: proxy.endpoint)
    try await upload(files, counted)
    try await download(files, counted, stage)
    await counted.close()
    row("  for both", "\(proxy.requests.count) requests, \(proxy.connectionCount) connections")
  }

  private static func upload(_ files: [URL], _ bucket: any Bucket) async throws {
    try await forEach(files) { file in
      _ = try await bucket.upload(file, to: UploadDestination()) { _ in }
    }
  }

  private static func download(_ files: [URL], _ bucket: any Bucket, _ stage: Stage) async throws {
    try await forEach(files) { file in
      let key = try ObjectKey("output/\(file.lastPathComponent)")
      _ = try await bucket.download(key, into: stage.folder, limit: .max) { _ in }
    }
  }

  private static func forEach(
    _ files: [URL], _ body: @escaping @Sendable (URL) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, file) in files.enumerated() {
        if index >= atOnce { try await group.next() }
        group.addTask { try await body(file) }
      }
      try await group.waitForAll()
    }
  }

  /// One `curl` for all, with as many transfers at a time.
  private static func curl(
    _ stage: Stage, _ transfers: [(option: String, file: String, url: String)]
  ) async throws {
    let list = stage.file("curl.config")
    let lines = transfers.map { "\($0.option) = \"\($0.file)\"\nurl = \"\($0.url)\"\n" }
    try lines.joined().write(to: list, atomically: true, encoding: .utf8)
    _ = try await stage.curl(
      ["--parallel", "--parallel-max", "\(atOnce)", "--config", list.path])
  }

  private static func report(_ name: String, _ best: (ours: Usage, theirs: Usage)) {
    row(
      name, "\(Int(Double(count) / best.ours.seconds)) /s",
      "curl \(Int(Double(count) / best.theirs.seconds)) /s",
      "ratio \((best.theirs.seconds / best.ours.seconds).hundredths)",
      "processor \((best.ours.processorSeconds * 1e6 / Double(count)).rounded()) us each")
  }
}

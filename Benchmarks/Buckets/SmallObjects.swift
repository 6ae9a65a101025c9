import Buckets
import Foundation
import TestSupport

/// 1,000 objects of 1 kB, 16 at a time.
enum SmallObjects {
  private static let count = 1000
  private static let atOnce = 16

  static func measure(_ stage: Stage) async throws {
    let files = try (0..<count).map { try stage.makeFile("small-\($0).bin", byteCount: 1000) }
    let names = files.map(\.lastPathComponent)
    let bucket = try stage.bucket()
    let up = try await Usage.best {
      try await upload(files, bucket)
    } theirs: {
      try await curl(
        stage, files.map { ("upload-file", $0.path, stage.url("curl/\($0.lastPathComponent)")) })
    }
    report("1,000 objects of 1 kB up, 16 at a time", up)

    let down = try await Usage.best {
      try await download(names, bucket, into: stage.makeFolder())
    } theirs: {
      let folder = try stage.makeFolder()
      try await curl(
        stage, names.map { ("output", folder.appending(path: $0).path, stage.url("output/\($0)")) })
    }
    report("1,000 objects of 1 kB down, 16 at a time", down)
    await bucket.close()

    let proxy = try await FaultProxy(to: stage.server.port)
    let counted = try stage.bucket(at: proxy.endpoint)
    try await upload(files, counted)
    try await download(names, counted, into: stage.makeFolder())
    await counted.close()
    row(
      "Connections for both", "\(proxy.connectionCount)", "",
      "\(proxy.requests.count) requests")
  }

  private static func upload(_ files: [URL], _ bucket: any Bucket) async throws {
    try await forEach(files) { file in
      _ = try await bucket.upload(file, to: UploadDestination()) { _ in }
    }
  }

  private static func download(
    _ names: [String], _ bucket: any Bucket, into folder: URL
  ) async throws {
    try await forEach(names) { name in
      let key = try ObjectKey("output/\(name)")
      _ = try await bucket.download(key, into: folder, limit: .max) { _ in }
    }
  }

  private static func forEach<Element: Sendable>(
    _ elements: [Element], _ body: @escaping @Sendable (Element) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, element) in elements.enumerated() {
        if index >= atOnce { try await group.next() }
        group.addTask { try await body(element) }
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
      name, text(best.ours), text(best.theirs),
      "\((best.theirs.seconds / best.ours.seconds).hundredths)")
  }

  private static func text(_ usage: Usage) -> String {
    let each = usage.processorSeconds * 1e6 / Double(count)
    return "\(Int(Double(count) / usage.seconds)) /s, CPU \(Int(each)) us each"
  }
}

import Buckets
import Foundation

/// A file of 1 GiB, which we move in parts.
enum BigFile {
  private static let byteCount = 1 << 30

  static func measure(_ stage: Stage) async throws {
    let file = try stage.makeFile("big.bin", byteCount: byteCount)
    // `curl` sends no checksum, for which the server computes too; this tells what ours costs.
    let unchecked = try stage.bucket(checksum: .none)
    report("1 GiB up, Content-MD5 left out", try await upload(file, unchecked, stage))
    await unchecked.close()
    let bucket = try stage.bucket()
    report("1 GiB up", try await upload(file, bucket, stage))

    let key = try ObjectKey("output/ours/big.bin")
    let copy = stage.file("curl.bin")
    let down = try await Usage.best {
      let file = try await bucket.download(key, into: stage.folder, limit: .max) { _ in }
      try FileManager.default.removeItem(at: file)
    } theirs: {
      _ = try await stage.curl(["--output", copy.path, stage.url(key.text)])
      try FileManager.default.removeItem(at: copy)
    }
    report("1 GiB down", down)

    try await bucket.delete(key)
    try await bucket.delete(ObjectKey("output/curl/big.bin"))
    try FileManager.default.removeItem(at: file)
    await bucket.close()
  }

  private static func upload(
    _ file: URL, _ bucket: any Bucket, _ stage: Stage
  ) async throws -> (ours: Usage, theirs: Usage) {
    try await Usage.best {
      _ = try await bucket.upload(file, to: UploadDestination(subdirectory: "ours")) { _ in }
    } theirs: {
      _ = try await stage.curl(["--upload-file", file.path, stage.url("output/curl/big.bin")])
    }
  }

  private static func report(_ name: String, _ best: (ours: Usage, theirs: Usage)) {
    row(
      name, text(best.ours), text(best.theirs),
      "\((best.theirs.seconds / best.ours.seconds).hundredths) (goal: 0.8)")
  }

  private static func text(_ usage: Usage) -> String {
    "\(Int(Double(byteCount) / 1e6 / usage.seconds)) MB/s, CPU \(usage.processorSeconds.hundredths) s"
  }
}

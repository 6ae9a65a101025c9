import Arrays
import Buckets
import FoundationEssentials
import ImageFiles
import JobQueue

/// What becomes of the result.
extension TrackingConsumer {
  /// Another one when an operator lets the job run again after its end.
  private var resultName: String { Keys.digest(of: run.origin, by: "result") }

  /// Remembers where the result is, so that the job can end after its parts are gone.
  func keep(_ stored: StoredObject) async throws {
    try await store(Array("\(stored.key)\n\(stored.url)".utf8), as: resultName)
  }

  /// The result of an earlier execution that could not write its end; nil if there is none.
  func keptResult() async throws -> StoredObject? {
    guard run.isResumed, let bytes = try await fetch(resultName) else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    return lines.count == 2 ? StoredObject(key: String(lines[0]), url: String(lines[1])) : nil
  }

  /// Writes a track file, which goes into the archive.
  func saveTrackFile(
    raw: NDArray<Float>, tracked: NDArray<Int32>, lineage: String, name: String
  ) throws -> URL {
    try stage(.encode) {
      URL(
        filePath: try TrackFile.write(
          raw: AnyNDArray(raw), tracked: AnyNDArray(tracked), lineage: lineage,
          name: Self.withoutExtension(name), in: resultsFolder().path))
    }
  }
}

import Arrays
import FoundationEssentials
import ImageFiles
import JobQueue

extension TrackingConsumer {
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

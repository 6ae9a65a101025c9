import Arrays
import ImageAlgorithms

/// Stands for the models of tracking: cells are the same if they are near, and a daughter appears near
/// its parent.
enum ModelOfPositions {
  static func track(
    _ raw: NDArray<Float>, _ labels: NDArray<Int32>,
    _ parameters: TrackingParameters = TrackingParameters()
  ) async throws -> TrackedMovie {
    var tracker = try CellTracker(raw: raw, labels: labels, parameters: parameters)
    try await tracker.describe { $0.centroids }
    try await tracker.link { compare($0) }
    return tracker.result()
  }

  /// `[1, 1, track, cell, 3]`
  static func compare(_ comparison: TrackComparison) -> NDArray<Float> {
    let tracks = comparison.currentCentroids.shape[2]
    let cells = comparison.futureCentroids.shape[2]
    let last = comparison.currentCentroids.slice(0).slice(
      comparison.currentCentroids.shape[1] - 1)
    let next = comparison.futureCentroids.slice(0).slice(0)
    var answer = NDArray<Float>(shape: [1, 1, tracks, cells, 3])
    for track in 0..<tracks {
      for cell in 0..<cells {
        let (y, x) = (last[track, 0] - next[cell, 0], last[track, 1] - next[cell, 1])
        let distance = (y * y + x * x).squareRoot()
        let same = distance < 4 ? 1 - distance / 8 : 0
        answer[0, 0, track, cell, 0] = same
        answer[0, 0, track, cell, 1] = 1 - same
        answer[0, 0, track, cell, 2] = distance < 10 ? 0.95 : 0
      }
    }
    return answer
  }
}

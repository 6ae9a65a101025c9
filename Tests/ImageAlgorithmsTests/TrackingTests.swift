import Arrays
import TestSupport
import Testing

@testable import ImageAlgorithms

@Suite(.computing) struct TrackingTests {
  /// Frames of 12 x 12 pixels with cells of 2 x 2 at the given corners.
  private func labels(_ frames: [[(Int, Int)]]) -> NDArray<Int32> {
    var labels = NDArray<Int32>(shape: [frames.count, 12, 12, 1])
    for (frame, corners) in frames.enumerated() {
      for (index, (row, column)) in corners.enumerated() {
        for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
          labels[frame, row + y, column + x, 0] = Int32(index + 1)
        }
      }
    }
    return labels
  }

  private func track(_ frames: [[(Int, Int)]]) async throws -> TrackedMovie {
    let labels = labels(frames)
    return try await ModelOfPositions.track(labels.asFloat, labels)
  }

  @Test func `a cell that divides ends, and its daughters begin`() async throws {
    let result = try await track([[(5, 5)], [(5, 4)], [(5, 2), (5, 6)], [(5, 1), (5, 7)]])
    #expect(
      result.lineage.json
        == #"{"1": {"label": 1, "frames": [0, 1], "daughters": [2, 3], "capped": true, "#
        + #""frame_div": 2, "parent": null}, "2": {"label": 2, "frames": [2, 3], "daughters": [], "#
        + #""capped": false, "frame_div": null, "parent": 1}, "3": {"label": 3, "frames": [2, 3], "#
        + #""daughters": [], "capped": false, "frame_div": null, "parent": 1}}"#)
    #expect(Set(result.labels.slice(3).elements) == [0, 2, 3])
  }

  @Test func `a cell may vanish and come back`() async throws {
    let result = try await track([[(1, 1), (8, 8)], [(8, 8)], [], [(1, 1), (8, 8)]])
    #expect(result.lineage.tracks.map(\.frames) == [[0, 3], [0, 1, 3]])
  }

  @Test func `cells may appear first in a later frame`() async throws {
    let result = try await track([[], [], [(1, 1), (8, 8)], [(1, 2), (8, 8)]])
    #expect(result.lineage.tracks.map(\.frames) == [[2, 3], [2, 3]])
    #expect(result.lineage.tracks.map(\.parent) == [nil, nil])
  }

  @Test func `a movie without cells has no tracks, and no model is asked`() async throws {
    let labels = labels([[], []])
    var tracker = try CellTracker(raw: labels.asFloat, labels: labels)
    try await tracker.describe { _ in throw CancellationError() }
    try await tracker.link { _ in throw CancellationError() }
    #expect(tracker.result().lineage.json == "{}")
    #expect(tracker.result().labels == labels)
  }

  @Test func `frames without background are tracked`() async throws {
    let full = NDArray<Int32>(
      shape: [2, 2, 4, 1], elements: [1, 1, 2, 2, 1, 1, 2, 2, 5, 5, 9, 9, 5, 5, 9, 9])
    let result = try await ModelOfPositions.track(full.asFloat, full)
    #expect(result.lineage.tracks.map(\.frames) == [[0, 1], [0, 1]])
    #expect(
      result.labels.elements == [1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2])
  }

  @Test func `many frames are described in several calls`() async throws {
    let frames = (0..<70).map { [(1 + $0 % 3, 1), (8, 8)] }
    let labels = labels(frames)
    var tracker = try CellTracker(raw: labels.asFloat, labels: labels)
    #expect(tracker.descriptionRanges == [0..<64, 64..<70])
    try await tracker.describe { sent in
      #expect(sent.appearances.shape == [sent.centroids.shape[0], 2, 32, 32, 1])
      return sent.centroids
    }
    try await tracker.link { ModelOfPositions.compare($0) }
    #expect(tracker.result().lineage.tracks.map(\.frames.count) == [70, 70])
  }

  @Test func `movies that cannot be tracked are refused`() {
    func error(_ raw: NDArray<Float>, _ labels: NDArray<Int32>) -> ImageError? {
      #expect(throws: ImageError.self) { try CellTracker(raw: raw, labels: labels) }
    }
    let labels = labels([[(1, 1)], [(1, 1)]])
    let raw = labels.asFloat
    #expect(error(raw.slice(0), labels.slice(0))?.code == .invalidDimensions)
    #expect(error(raw, labels.slice(0..<1))?.code == .invalidDimensions)
    #expect(error(raw, labels.map { -$0 })?.code == .invalidParameter)
    #expect(error(raw.map { $0 / 0 }, labels)?.code == .notFinite)
    #expect(
      error(NDArray(shape: [2, 12, 12, 2]), NDArray(shape: [2, 12, 12, 2]))?.code
        == .invalidChannels)
    let crowd = NDArray<Int32>(
      shape: [2, 72, 72, 1], elements: (0..<2 * 72 * 72).map { Int32($0) })
    #expect(error(crowd.asFloat, crowd)?.code == .tooLarge)
  }

  @Test func `answers that do not fit are the model's fault`() throws {
    let labels = labels([[(1, 1)], [(1, 1)]])
    var tracker = try CellTracker(raw: labels.asFloat, labels: labels)
    for shape in [[2, 2, 4], [1, 1, 4], [2, 1, 0], [2, 1]] {
      let error = #expect(throws: ImageError.self) {
        try tracker.accept(NDArray(shape: shape), of: 0..<2)
      }
      #expect(error?.code == .unexpectedModelOutput)
    }
    #expect(throws: ImageError.notFiniteOutput) {
      try tracker.accept(NDArray(shape: [2, 1, 4], repeating: .nan), of: 0..<2)
    }
    try tracker.accept(NDArray(shape: [2, 1, 4]), of: 0..<2)
    try tracker.link(nil)
    for answer in [nil, NDArray<Float>(shape: [1, 1, 1, 2, 3]), NDArray(shape: [1, 1, 1, 1, 2])] {
      let error = #expect(throws: ImageError.self) { try tracker.link(answer) }
      #expect(error?.code == .unexpectedModelOutput)
    }
    #expect(throws: ImageError.notFiniteOutput) {
      try tracker.link(NDArray(shape: [1, 1, 1, 1, 3], repeating: .infinity))
    }
  }
}

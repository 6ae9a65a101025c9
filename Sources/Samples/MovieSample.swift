import Arrays
import ImageAlgorithms

/// Nuclei that move, divide, appear and vanish, and who is who.
package struct MovieSample: Sendable {
  /// `[frame, row, column]`, counts of a camera.
  package let images: NDArray<Float>
  /// `[frame, row, column]`, 0 is background; a nucleus has the label of its track.
  package let labels: NDArray<Int32>
  /// By label: 1... without gaps.
  package let tracks: [Track]

  /// A nucleus from its first to its last frame; daughters are tracks of their own.
  package struct Track: Sendable {
    package let label: Int
    package internal(set) var frames: [Int]
    package internal(set) var daughters: [Int] = []
    /// The first frame of the daughters.
    package internal(set) var divisionFrame: Int?
    package let parent: Int?
  }

  /// - Parameters:
  ///   - side: pixels of a frame along each axis, at least 48.
  ///   - frames: at least 1. In four and more at least one nucleus each divides, vanishes and appears, if
  ///     there are three to begin with.
  ///   - count: nuclei of the first frame at most; fewer where there is no more room.
  /// - Throws: `CancellationError` once its task is cancelled.
  package init(seed: Int, side: Int = 256, frames: Int, count: Int) throws {
    var colony = Colony(
      side: side, count: count, frames: frames, generator: SeededGenerator(seed: seed))
    var images: [NDArray<Float>] = []
    var labels: [NDArray<Int32>] = []
    for frame in 0..<frames {
      try Task.checkCancellation()
      if frame > 0 { colony.advance(to: frame) }
      let drawing = try colony.draw()
      images.append(drawing.image.expandingDimensions(at: 0))
      labels.append(drawing.labels.expandingDimensions(at: 0))
    }
    self.images = try .concatenated(images)
    self.labels = try .concatenated(labels)
    tracks = colony.tracks
  }
}

import Arrays

/// Follows the cells of a movie from frame to frame, by two models: one describes each cell by an
/// embedding, the other compares tracks with the cells of the next frame.
///
/// ```swift
/// var tracker = try CellTracker(raw: movie, labels: labels)
/// try await tracker.describe { ... }
/// try await tracker.link { ... }
/// let result = tracker.result()
/// ```
/// A frame without cells ends no track: each may go on behind it.
///
/// - Source: deepcell-tracking 0.6.5, `CellTracker`. Frames without cells, and without background, end
///   in an error there.
public struct CellTracker: Sendable {
  private let movie: MovieCells
  let parameters: TrackingParameters
  /// Of each frame: `[cell, 2]`.
  private let centroids: [NDArray<Float>]
  /// Of each frame that has been described: `[cell, value]`, cells beyond those of the frame included.
  private var embeddings: [NDArray<Float>] = []
  public private(set) var tracks: [CellTrack] = []
  /// The label that each cell of each frame has got, by its rank; 0 for background.
  private var trackLabels: [[Int32]] = []

  /// Most comparisons of a track and a cell at once.
  static let mostPairs = 1 << 25
  /// Most frames the describing model is sent at once, as many as the reference sends.
  private static let mostFrames = 64

  /// - Parameters:
  ///   - raw: `[frame, row, column, 1]`, finite.
  ///   - labels: the cells of each frame, the same shape; 0 is background. Equal labels of two frames
  ///     mean nothing.
  /// - Throws: ``ImageError`` when the shapes are others, a label is negative or a frame has more than
  ///   5000 cells.
  public init(
    raw: NDArray<Float>, labels: NDArray<Int32>,
    parameters: TrackingParameters = TrackingParameters()
  ) throws(ImageError) {
    guard parameters.trackLength >= 1, parameters.appearance.size >= 1 else {
      throw ImageError(
        .invalidParameter,
        "tracks of \(parameters.trackLength) frames and cells of \(parameters.appearance.size) pixels "
          + "cannot be compared; both must be at least 1")
    }
    let movie = try MovieCells(raw: raw, labels: labels)
    self.movie = movie
    self.parameters = parameters
    centroids = (0..<movie.frameCount).map {
      movie.measures(of: $0).centroids(parameters.appearance)
    }
  }

  public var frameCount: Int { movie.frameCount }
  /// How many cells each frame has.
  public var cellCounts: [Int] { movie.counts }

  // MARK: Describing

  /// Frames that are described by one call.
  private var framesPerCall: Int {
    let room = movie.mostCellsOfFrame
    let values = room * (parameters.appearance.size * parameters.appearance.size + room)
    return max(1, min(Self.mostFrames, maximumValuesPerCall / max(values, 1)))
  }

  /// The frames of each call of the describing model; none if no frame has a cell.
  public var descriptionRanges: [Range<Int>] {
    guard movie.mostCellsOfFrame > 0 else { return [] }
    let size = framesPerCall
    return stride(from: 0, to: frameCount, by: size).map { $0..<min($0 + size, frameCount) }
  }

  public func descriptions(of frames: Range<Int>) -> CellDescriptions {
    CellDescriptions(frames, of: movie, centroids: centroids, parameters)
  }

  /// Takes the embeddings of the next frames.
  ///
  /// - Parameter embeddings: `[frame, cell, value]`.
  /// - Throws: ``ImageError`` when they do not fit what was sent or are not finite.
  public mutating func accept(_ embeddings: NDArray<Float>, of frames: Range<Int>)
    throws(ImageError)
  {
    precondition(frames.lowerBound == self.embeddings.count, "frames out of order")
    let known = self.embeddings.first?.shape[1]
    guard embeddings.rank == 3,
      Array(embeddings.shape[..<2]) == [frames.count, movie.mostCellsOfFrame],
      embeddings.shape[2] >= 1, embeddings.shape[2] == known ?? embeddings.shape[2]
    else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered embeddings of shape \(embeddings.shape.tupleDescription) to "
          + "\(frames.count) frames of up to \(movie.mostCellsOfFrame) cells")
    }
    guard embeddings.withUnsafeBuffer({ $0.allSatisfy(\.isFinite) }) else {
      throw .notFiniteOutput
    }
    self.embeddings += (0..<frames.count).map { embeddings.slice($0) }
  }

  // MARK: Linking

  /// The next frame to be linked; the first one is a beginning for all its cells.
  public var nextFrame: Int { trackLabels.count }

  /// What the comparing model is to be sent about the next frame; nil where there is nothing to
  /// compare.
  ///
  /// - Throws: ``ImageError`` when there are too many tracks and cells.
  public func comparison() throws(ImageError) -> TrackComparison? {
    let frame = nextFrame
    guard frame < frameCount, !tracks.isEmpty, movie.counts[frame] > 0 else { return nil }
    let cells = movie.counts[frame]
    guard tracks.count * cells <= Self.mostPairs else {
      throw ImageError(
        .tooLarge,
        "by frame \(frame), counted from 0, there are \(tracks.count) tracks to be compared with "
          + "\(cells) cells, more than can be processed; crop the movie or split it in time")
    }
    let values = embeddings[frame].shape[1]
    return TrackComparison(
      currentEmbeddings: history(values) { frame, rank in embeddings[frame].slice(rank) },
      currentCentroids: history(2) { frame, rank in centroids[frame].slice(rank) },
      futureEmbeddings: embeddings[frame].slice(0..<cells)
        .expandingDimensions(at: 0).expandingDimensions(at: 0),
      futureCentroids: centroids[frame].expandingDimensions(at: 0).expandingDimensions(at: 0))
  }

  /// `[1, time, track, value]`
  private func history(
    _ values: Int, of cell: (_ frame: Int, _ rank: Int) -> NDArray<Float>
  ) -> NDArray<Float> {
    let length = parameters.trackLength
    return NDArray(uninitialized: [1, length, tracks.count, values]) { output in
      for (index, track) in tracks.enumerated() {
        let first = max(0, track.frames.count - length)
        for time in 0..<length {
          let entry = min(first + time, track.frames.count - 1)
          cell(track.frames[entry], track.ranks[entry]).withUnsafeBuffer {
            _ = output[((time * tracks.count + index) * values)...].update(fromContentsOf: $0)
          }
        }
      }
    }
  }

  /// Continues, begins and ends tracks with the cells of the next frame.
  ///
  /// - Parameter probabilities: `[1, 1, track, cell, 3]`: that they are the same, are different, and
  ///   that the cell is a daughter of the track's; nil where there was nothing to compare.
  /// - Throws: ``ImageError`` when they do not fit what was sent or are not finite;
  ///   `CancellationError`.
  public mutating func link(_ probabilities: NDArray<Float>?) throws {
    let frame = nextFrame
    precondition(frame < frameCount, "all frames are linked")
    let cells = movie.counts[frame]
    var labels = [Int32](repeating: 0, count: cells + 1)
    if !tracks.isEmpty, cells > 0 {
      let probabilities = try checked(probabilities, cells: cells)
      let columns = try probabilities.withUnsafeBuffer {
        try LinkCosts($0, cells: cells, isCapped: tracks.map(\.isCapped), parameters).assignment()
      }
      probabilities.withUnsafeBuffer {
        FrameLinks(frame: frame, cells: cells, probabilities: $0, division: parameters.division)
          .apply(columns, to: &tracks, labels: &labels)
      }
    } else {
      for rank in 0..<cells {
        tracks.append(CellTrack(label: tracks.count + 1, frame: frame, rank: rank))
        labels[rank + 1] = Int32(tracks.count)
      }
    }
    trackLabels.append(labels)
  }

  private func checked(
    _ probabilities: NDArray<Float>?, cells: Int
  ) throws(ImageError) -> NDArray<Float> {
    guard let probabilities, probabilities.shape == [1, 1, tracks.count, cells, 3] else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered \(probabilities?.shape.tupleDescription ?? "nothing") to the comparison "
          + "of \(tracks.count) tracks with \(cells) cells")
    }
    guard probabilities.withUnsafeBuffer({ $0.allSatisfy(\.isFinite) }) else {
      throw .notFiniteOutput
    }
    return probabilities
  }

  // MARK: Result

  /// The movie with each cell labelled by its track, once all frames are linked.
  public func result() -> TrackedMovie {
    precondition(nextFrame == frameCount, "frame \(nextFrame) is not linked")
    var labels = movie.ranks
    let size = labels.count / frameCount
    labels.withUnsafeMutableBuffer { labels in
      for (frame, names) in trackLabels.enumerated() {
        names.withUnsafeBufferPointer { names in
          for i in frame * size..<(frame + 1) * size { labels[i] = names[Int(labels[i])] }
        }
      }
    }
    return TrackedMovie(
      labels: labels.expandingDimensions(at: 3), lineage: Lineage(tracks: tracks))
  }
}

/// A movie whose cells have been followed.
public struct TrackedMovie: Sendable {
  /// `[frame, row, column, 1]`; 0 is background, cells have the labels of their tracks.
  public let labels: NDArray<Int32>
  public let lineage: Lineage
}

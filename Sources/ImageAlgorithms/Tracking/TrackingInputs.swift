import Arrays

/// What the model that describes cells is sent: some frames, each with room for as many cells as the
/// fullest has. What is not used is 0.
public struct CellDescriptions: Sendable {
  /// `[frame, cell, row, column, 1]`
  public let appearances: NDArray<Float>
  /// `[frame, cell, 3]`: area, perimeter, eccentricity.
  public let morphologies: NDArray<Float>
  /// `[frame, cell, 2]`
  public let centroids: NDArray<Float>
  /// `[frame, cell, cell]`, normalised.
  public let adjacency: NDArray<Float>

  init(
    _ frames: Range<Int>, of movie: MovieCells, centroids: [NDArray<Float>],
    _ parameters: TrackingParameters
  ) {
    let room = movie.mostCellsOfFrame
    let size = parameters.appearance.size
    var appearances = NDArray<Float>(shape: [frames.count, room, size, size, 1])
    var morphologies = NDArray<Float>(shape: [frames.count, room, 3])
    var positions = NDArray<Float>(shape: [frames.count, room, 2])
    for (index, frame) in frames.enumerated() {
      let measures = movie.measures(of: frame)
      appearances.withUnsafeMutableBuffer {
        measures.writeAppearances(
          of: movie.raw.slice(frame), parameters.appearance,
          to: $0.part(index, of: frames.count))
      }
      morphologies.withUnsafeMutableBuffer {
        measures.writeMorphologies(to: $0.part(index, of: frames.count))
      }
      positions.withUnsafeMutableBuffer { output in
        centroids[frame].withUnsafeBuffer {
          _ = output.part(index, of: frames.count).update(fromContentsOf: $0)
        }
      }
    }
    self.appearances = appearances
    self.morphologies = morphologies
    self.centroids = positions
    adjacency = Self.adjacency(of: positions, within: parameters.maximumDistance)
  }

  /// Places without a cell are at (0, 0) and are neighbours of what is there, as models were trained.
  private static func adjacency(
    of positions: NDArray<Float>, within limit: Double
  ) -> NDArray<Float> {
    let (frames, cells) = (positions.shape[0], positions.shape[1])
    return NDArray(uninitialized: [frames, cells, cells]) { output in
      positions.withUnsafeBuffer { positions in
        for frame in 0..<frames {
          let start = frame * cells * cells
          let place = positions.baseAddress! + frame * cells * 2
          for i in 0..<cells {
            let (y, x) = (Double(place[2 * i]), Double(place[2 * i + 1]))
            for j in 0..<cells {
              let (dy, dx) = (y - Double(place[2 * j]), x - Double(place[2 * j + 1]))
              let isNear = (dy * dy + dx * dx).squareRoot() < limit
              output[start + i * cells + j] = isNear ? 1 : 0
            }
          }
          normalizeAdjacency(output[start..<start + cells * cells], cells: cells)
        }
      }
    }
  }
}

extension UnsafeMutableBufferPointer {
  /// One of equal parts.
  fileprivate func part(_ index: Int, of parts: Int) -> UnsafeMutableBufferPointer {
    let size = count / parts
    return UnsafeMutableBufferPointer(rebasing: self[index * size..<(index + 1) * size])
  }
}

/// What the model that compares tracks with the cells of a frame is sent.
public struct TrackComparison: Sendable {
  /// `[1, time, track, value]`: of each track's last cells, the latest last. Where a track has fewer,
  /// its latest is repeated.
  public let currentEmbeddings: NDArray<Float>
  /// `[1, time, track, 2]`
  public let currentCentroids: NDArray<Float>
  /// `[1, 1, cell, value]`
  public let futureEmbeddings: NDArray<Float>
  /// `[1, 1, cell, 2]`
  public let futureCentroids: NDArray<Float>
}

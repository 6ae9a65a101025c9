import Arrays
import Samples

/// How well the nuclei of a movie were followed, given where they are.
public struct TrackingScore {
  /// Steps of a nucleus from one frame to the next, and those in which it kept its label.
  public private(set) var steps = 0
  public private(set) var correctSteps = 0
  /// Steps of a label from one nucleus to another.
  public private(set) var switches = 0
  /// Divisions there were, that were found, and that were found with mother and daughters right.
  public private(set) var divisions = 0
  public private(set) var foundDivisions = 0
  public private(set) var correctDivisions = 0

  /// - Parameters:
  ///   - labels: `[frame, row, column]`, the nuclei of the truth with the labels they were given.
  ///   - parents: the labels' parents.
  package init(labels: NDArray<Int32>, parents: [Int: Int], truth: MovieSample) {
    let given = Self.given(labels, truth.labels)
    foundDivisions = Set(parents.values).count
    for track in truth.tracks {
      for (frame, next) in zip(track.frames, track.frames.dropFirst()) {
        steps += 1
        if given[frame][track.label] == given[next][track.label] { correctSteps += 1 }
      }
      guard let frame = track.divisionFrame, let last = track.frames.last else { continue }
      divisions += 1
      let daughters = track.daughters.compactMap { given[frame][$0] }
      let isRight = daughters.allSatisfy { parents[$0] == given[last][track.label] }
      if Set(daughters).count == 2, isRight { correctDivisions += 1 }
    }
    var owners: [Int: Int] = [:]
    for names in given {
      for (nucleus, label) in names {
        if let owner = owners[label], owner != nucleus { switches += 1 }
        owners[label] = nucleus
      }
    }
  }

  /// For each frame the label that each nucleus was given.
  private static func given(
    _ labels: NDArray<Int32>, _ truth: NDArray<Int32>
  ) -> [[Int: Int]] {
    let size = truth.shape[1] * truth.shape[2]
    var frames = [[Int: Int]](repeating: [:], count: truth.shape[0])
    labels.withUnsafeBuffer { labels in
      truth.withUnsafeBuffer { truth in
        for i in truth.indices where truth[i] > 0 {
          frames[i / size][Int(truth[i])] = Int(labels[i])
        }
      }
    }
    return frames
  }
}

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
  ///   - labels: `[frame, row, column]`; a nucleus of the truth has the label that most of its pixels
  ///     have, and none if most have none.
  ///   - parents: the labels' parents.
  package init(labels: NDArray<Int32>, parents: [Int: Int], truth: MovieSample) {
    let given = Self.given(labels, truth.labels)
    foundDivisions = Set(parents.values).count
    for track in truth.tracks {
      for (frame, next) in zip(track.frames, track.frames.dropFirst()) {
        steps += 1
        let label = given[frame][track.label]
        if label != nil, label == given[next][track.label] { correctSteps += 1 }
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
    struct Pair: Hashable { let nucleus, label: Int32 }
    let size = truth.shape[1] * truth.shape[2]
    var areas = [[Pair: Int]](repeating: [:], count: truth.shape[0])
    labels.withUnsafeBuffer { labels in
      truth.withUnsafeBuffer { truth in
        for i in truth.indices where truth[i] > 0 {
          areas[i / size][Pair(nucleus: truth[i], label: labels[i]), default: 0] += 1
        }
      }
    }
    return areas.map { areas in
      var given: [Int: Int] = [:]
      // Of equal areas the lower label's, so that a score can be had again.
      for (pair, _) in areas.sorted(by: { ($0.value, $1.key.label) < ($1.value, $0.key.label) }) {
        given[Int(pair.nucleus)] = Int(pair.label)
      }
      return given.filter { $0.value > 0 }
    }
  }
}

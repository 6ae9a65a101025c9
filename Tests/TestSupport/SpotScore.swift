import Arrays
import Samples

/// How many spots were found, by distance.
public struct SpotScore {
  public let foundCount: Int
  public let truthCount: Int
  public let matches: Int
  /// Mean distance in pixels of those that match.
  public let distance: Double

  public var precision: Double { Double(matches) / Double(max(foundCount, 1)) }
  public var recall: Double { Double(matches) / Double(max(truthCount, 1)) }

  /// - Parameters:
  ///   - found: `[spot, axis]`, rows and columns.
  ///   - limit: pixels; the nearest pairs match first, each spot once.
  package init(found: NDArray<Double>, truth: [SpotSample.Spot], within limit: Double = 1) {
    let places = found.elements
    var pairs: [(distance: Double, found: Int, truth: Int)] = []
    for i in 0..<found.shape[0] {
      for (j, spot) in truth.enumerated() {
        let (y, x) = (places[2 * i] - spot.row, places[2 * i + 1] - spot.column)
        let distance = (y * y + x * x).squareRoot()
        if distance <= limit { pairs.append((distance, i, j)) }
      }
    }
    var (usedFound, usedTruth) = (Set<Int>(), Set<Int>())
    var sum = 0.0
    for pair in pairs.sorted(by: { $0.distance < $1.distance })
    where !usedFound.contains(pair.found) && !usedTruth.contains(pair.truth) {
      usedFound.insert(pair.found)
      usedTruth.insert(pair.truth)
      sum += pair.distance
    }
    foundCount = found.shape[0]
    truthCount = truth.count
    matches = usedTruth.count
    distance = sum / Double(max(matches, 1))
  }
}

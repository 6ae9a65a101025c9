import Arrays

/// How many objects were found, by overlap.
public struct DetectionScore {
  public let foundCount: Int
  public let truthCount: Int
  public let matches: Int

  public var precision: Double { Double(matches) / Double(max(foundCount, 1)) }
  public var recall: Double { Double(matches) / Double(max(truthCount, 1)) }
  public var f1: Double { 2 * Double(matches) / Double(max(foundCount + truthCount, 1)) }

  /// - Parameters:
  ///   - found: `[row, column]`, 0 is background.
  ///   - truth: the same shape.
  public init(found: NDArray<Int32>, truth: NDArray<Int32>, overlap: Double = 0.5) {
    struct Pair: Hashable { let found, truth: Int32 }
    var foundAreas: [Int32: Int] = [:]
    var truthAreas: [Int32: Int] = [:]
    var shared: [Pair: Int] = [:]
    for (f, t) in zip(found.elements, truth.elements) {
      if f > 0 { foundAreas[f, default: 0] += 1 }
      if t > 0 { truthAreas[t, default: 0] += 1 }
      if f > 0, t > 0 { shared[Pair(found: f, truth: t), default: 0] += 1 }
    }
    foundCount = foundAreas.count
    truthCount = truthAreas.count
    // Over a half, an object matches one other at most.
    matches = shared.count { pair, area in
      let union = (foundAreas[pair.found] ?? 0) + (truthAreas[pair.truth] ?? 0) - area
      return Double(area) / Double(union) > overlap
    }
  }
}

import Arrays
import Foundation

/// What a tile looks like: nuclei, whole cells or phase contrast.
struct ImageKind {
  /// Nuclei, whole cells, phase contrast, in this order; they sum to 1, and are alike where nothing
  /// tells them apart.
  let scores: [Float]

  /// - Parameter tile: in any unit of brightness.
  init(of tile: TileContent) {
    let background = Self.background(of: tile)
    let below = background - tile.quantile(0.01)
    let above = tile.quantile(0.99) - background
    guard max(below, above) > 0 else {
      scores = [Float](repeating: 1 / 3, count: 3)
      return
    }
    // Fluorescence adds light to a dark background; phase contrast shows cells and their halos both
    // darker and brighter than the grey around them.
    let balance = max(min(below, above), 0) / max(below, above)
    let covered = tile.sorted.count { $0 > background + 0.3 * above }
    let coverage = Float(covered) / Float(tile.sorted.count)
    // Whole cells are larger than nuclei and fill more of the image.
    let diameter = NucleusSize.diameter(in: tile) ?? NucleusSize.expectedDiameter
    let wholeCells = 4 * log(diameter / 52) + 12 * max(coverage - 0.3, 0)
    let weights = [1, exp(wholeCells), exp(15 * (balance - 0.4))]
    let sum = weights.reduce(0, +)
    scores = weights.map { $0 / sum }
  }

  /// The middle of the narrowest range that two fifths of the pixels are in.
  private static func background(of tile: TileContent) -> Float {
    let values = tile.sorted
    let width = values.count * 2 / 5
    guard width > 0 else { return tile.quantile(0.5) }
    var start = 0
    for i in 0..<values.count - width
    where values[i + width] - values[i] < values[start + width] - values[start] { start = i }
    return (values[start] + values[start + width]) / 2
  }
}

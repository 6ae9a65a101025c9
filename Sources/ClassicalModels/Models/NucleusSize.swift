import Arrays

/// How large the nuclei of an image are.
enum NucleusSize {
  /// Pixels of 0.65 µm: the diameter of a common nucleus, some 15 µm.
  static let expectedDiameter: Float = 24
  /// Nuclei of a quarter and four times the size are still measured.
  static let range: ClosedRange<Float> = 0.25...4

  /// Expected diameter to that of the blobs in the tile; 1 where there are none.
  static func scale(of tile: TileContent) -> Float {
    guard let diameter = diameter(in: tile) else { return 1 }
    return min(max(expectedDiameter / diameter, range.lowerBound), range.upperBound)
  }

  /// The median of the blobs, where those count more that are large and strong: specks in the
  /// background and spots within nuclei are many, but small and weak.
  static func diameter(in tile: TileContent) -> Float? {
    let dark = tile.quantile(0.05)
    // Nuclei of one image differ much in brightness; the root makes them more alike.
    let evened = tile.pixels.map { max($0 - dark, 0).squareRoot() }
    let blobs = BlobFinder().blobs(in: evened).sorted { $0.radius < $1.radius }
    let weights = blobs.map { $0.radius * $0.strength * $0.strength }
    let half = weights.reduce(0, +) / 2
    var sum: Float = 0
    for (blob, weight) in zip(blobs, weights) {
      sum += weight
      if sum >= half { return 2 * blob.radius }
    }
    return nil
  }
}

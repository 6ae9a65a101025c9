import Arrays

/// What is done with images of spots before and after their model: everything between the image and the
/// spots' coordinates but the model itself.
///
/// - Source: deepcell-spots 0.3.2, `SpotDetection` and Polaris, given equal answers of the model spot by
///   spot. An image without contrast, which becomes NaN there, is sent as zeros and has no spot.
public struct SpotApplication: Sendable, Hashable {
  /// Whether the darkest and brightest pixels are cut off, see ``minMaxNormalized(_:clips:)``.
  public var clips = false
  /// ``spotCoordinates(scores:offsets:threshold:minimumDistance:)``.
  public var threshold = 0.95
  /// Likewise, pixels.
  public var minimumDistance = 1
  /// What lies beyond the image where tiles reach over its edge.
  public var edge = TileAxis.Edge.reflect

  public init() {}

  /// The outputs of the model that are looked at, in the order in which ``SpotRun`` takes them: how
  /// likely there is no spot, and one, at a pixel; and how far its centre is away in rows and columns.
  public static let outputs = ["classification", "offset_regression"]

  /// Prepares images for the model.
  ///
  /// - Parameters:
  ///   - image: `[batch, row, column, 1]`, finite.
  ///   - modelShape: what the model declares, `[batch, row, column, channel]`; -1 where any extent
  ///     will do.
  ///   - batchSize: most tiles per call, at least 1.
  /// - Throws: ``ImageError`` when the image does not fit the model or cannot be processed.
  public func start(
    _ image: NDArray<Float>, modelShape: Shape, batchSize: Int
  ) throws(ImageError) -> SpotRun {
    try requireModelTakes(image, modelShape: modelShape, batchSize: batchSize)
    try requirePixels(image)
    try requireFinitePixels(image)
    let normalized = try minMaxNormalized(image, clips: clips)
    // What has no contrast became NaN.
    let isBlank = (0..<image.shape[0]).map { item in
      !normalized.slice(item).withUnsafeBuffer { $0.allSatisfy(\.isFinite) }
    }
    for item in isBlank.indices where isBlank[item] {
      try requireFiniteRange(of: image.slice(item))
    }
    let prepared = isBlank.contains(true) ? normalized.map { $0.isFinite ? $0 : 0 } : normalized
    let tiling = try Tiling(
      shape: prepared.shape, modelRows: modelShape[1], modelColumns: modelShape[2], edge: edge)
    return SpotRun(
      application: self, isBlank: isBlank,
      batches: TileBatches(
        prepared, tiling: tiling, size: batchSize, maximumValues: maximumValuesPerCall))
  }
  private func requireFiniteRange(of pixels: NDArray<Float>) throws(ImageError) {
    try pixels.withUnsafeBuffer { (pixels) throws(ImageError) in
      guard let range = Extent(of: pixels), (range.greatest - range.least).isFinite else {
        throw ImageError.pixelsTooFarApart(in: pixels)
      }
    }
  }
}

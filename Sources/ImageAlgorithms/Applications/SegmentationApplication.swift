import Arrays

/// What is done with an image of one kind before and after its model: everything between the image
/// and its labels but the model itself.
///
/// ``labels(of:scale:modelShape:batchSize:concurrentCalls:progress:predict:)`` does it all;
/// ``start(_:scale:modelShape:batchSize:)`` is for callers that talk to the model themselves.
///
/// - Source: deepcell 0.12.10, `NuclearSegmentation` and `CytoplasmSegmentation`, given equal answers of
///   the model label by label.
public struct SegmentationApplication: Sendable, Hashable {
  /// Micrometres per pixel the model was trained at.
  public var modelResolution = 0.65
  /// ``histogramNormalization(_:kernelSize:)``.
  public var kernelSize: Int?
  /// What lies beyond the image where tiles reach over its edge.
  public var edge = TileAxis.Edge.reflect
  /// Most tiles per call, whatever the caller allows.
  public var maximumBatchSize = 32
  /// Most pixels an image may have once it is resized to the model's resolution.
  public var maximumPixels = 1 << 26
  /// Most pixels all images together may have then.
  public var maximumBatchPixels = 1 << 28
  public var postprocessing: DeepWatershedParameters

  public init(postprocessing: DeepWatershedParameters) { self.postprocessing = postprocessing }

  public static let nuclear = SegmentationApplication(postprocessing: .nuclear)
  public static let cytoplasm = SegmentationApplication(postprocessing: .cytoplasm)

  /// Prepares an image for the model.
  ///
  /// - Parameters:
  ///   - image: `[batch, row, column, channel]`, finite.
  ///   - scale: micrometres per pixel of the image as a multiple of the model's; at 2 the model is
  ///     sent the image at twice its size.
  ///   - modelShape: what the model declares, `[batch, row, column, channel]`; -1 where any extent
  ///     will do.
  ///   - batchSize: most tiles per call, at least 1.
  /// - Throws: ``ImageError`` when the image does not fit the model or cannot be processed;
  ///   `CancellationError` between the steps.
  public func start(
    _ image: NDArray<Float>, scale: Double = 1, modelShape: Shape, batchSize: Int
  ) throws -> SegmentationRun {
    try requireModelTakes(image, modelShape: modelShape, batchSize: batchSize)
    try requireFinitePixels(image)
    let prepared = try histogramNormalization(
      try rescaled(
        image, by: scale, modelResolution: modelResolution, maximumPixels: maximumPixels,
        maximumBatchPixels: maximumBatchPixels),
      kernelSize: kernelSize)
    let tiling = try Tiling(
      shape: prepared.shape, modelRows: modelShape[1], modelColumns: modelShape[2], edge: edge)
    return SegmentationRun(
      application: self, originalShape: image.shape,
      batches: TileBatches(prepared, tiling: tiling, size: min(batchSize, maximumBatchSize)))
  }
}

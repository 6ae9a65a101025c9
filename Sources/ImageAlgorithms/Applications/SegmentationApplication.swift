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
    try requireRank(4, of: image, named: "the image", axes: "batch, row, column, channel")
    guard modelShape.count == 4 else {
      throw ImageError(
        .invalidDimensions,
        "the model takes inputs of shape \(modelShape.tupleDescription), not images with the axes "
          + "(batch, row, column, channel)")
    }
    guard modelShape[3] < 0 || image.shape[3] == modelShape[3] else {
      throw ImageError(
        .invalidChannels,
        "the model takes images of \(modelShape[3]) channels, but the image has \(image.shape[3])")
    }
    guard batchSize >= 1 else {
      throw ImageError(.invalidParameter, "a batch must have at least 1 tile, not \(batchSize)")
    }
    let prepared = try normalized(try rescaled(image, by: scale), of: image)
    return SegmentationRun(
      application: self, originalShape: image.shape, image: prepared,
      tiling: try Tiling(
        shape: prepared.shape, modelRows: modelShape[1], modelColumns: modelShape[2], edge: edge),
      batchSize: min(batchSize, maximumBatchSize))
  }

  /// The image at the resolution of the model.
  private func rescaled(
    _ image: NDArray<Float>, by scale: Double
  ) throws(ImageError) -> NDArray<Float> {
    guard scale > 0, scale.isFinite else {
      throw ImageError(.invalidParameter, "the scale must be more than 0, not \(scale)")
    }
    let imageResolution = scale * modelResolution
    if imageResolution == modelResolution { return image }
    let factor = imageResolution / modelResolution
    let rows = Double(image.shape[1]) * factor
    let columns = Double(image.shape[2]) * factor
    guard rows >= 1, columns >= 1 else {
      throw ImageError(
        .invalidParameter,
        "scale \(scale.shortText) leaves nothing of an image of \(image.shape[1]) x \(image.shape[2]) pixels; "
          + "choose a larger scale")
    }
    let items = Double(image.shape[0])
    guard rows * columns <= Double(maximumPixels),
      rows * columns * items <= Double(maximumBatchPixels)
    else {
      let count = image.shape[0] == 1 ? "an image" : "each of \(image.shape[0]) images"
      throw ImageError(
        .tooLarge,
        "scale \(scale.shortText) would turn \(count) of \(image.shape[1]) x \(image.shape[2]) pixels into "
          + "one of \(rows.rounded(.down).shortText) x \(columns.rounded(.down).shortText), which is "
          + "too large; choose a smaller scale or crop the image")
    }
    return try resized(image, rows: Int(rows), columns: Int(columns))
  }

  /// Evens out the contrast; an error tells of the pixels of `original`, which resizing spreads.
  private func normalized(
    _ image: NDArray<Float>, of original: NDArray<Float>
  ) throws -> NDArray<Float> {
    do {
      return try histogramNormalization(image, kernelSize: kernelSize)
    } catch let error as ImageError where error.code == .notFinite {
      throw original.notFiniteError
    }
  }
}

extension NDArray where Element == Float {
  /// What keeps the contrast of a `[batch, row, column, channel]` from being evened out.
  fileprivate var notFiniteError: ImageError {
    withUnsafeBuffer { pixels in
      guard let first = pixels.firstIndex(where: { !$0.isFinite }) else {
        return ImageError(
          .notFinite,
          "the image's pixels reach from \(pixels.min() ?? 0) to \(pixels.max() ?? 0), too far apart to "
            + "compute with; divide them by a large number and send the image again")
      }
      let size = pixels.count / shape[0]
      let item = first / size
      let count = pixels[(item * size)...].prefix(size).count { !$0.isFinite }
      let frame = shape[0] == 1 ? "the image" : "frame \(item) of the image, counted from 0,"
      return ImageError(
        .notFinite,
        "\(frame) has \(count) of \(size) pixels that are not a number (NaN), infinite or beyond "
          + "3.4e38; replace them and send the image again")
    }
  }
}

extension Double {
  /// `10`, not `10.0`.
  fileprivate var shortText: String {
    self == rounded() && self < 1e15 ? "\(Int(self))" : "\(self)"
  }
}

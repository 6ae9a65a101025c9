import Arrays

/// How an image must look for a model, and the limits of the service.
public struct ModelInputRequirement: Sendable, Hashable {
  /// Shape the model declares, -1 where any extent will do: `[batch, row, column, channel]`.
  public var modelShape: Shape
  /// Name of the queue, for error messages.
  public var queue: String
  /// Most columns.
  public var maximumWidth: Int
  /// Most rows.
  public var maximumHeight: Int

  public init(
    modelShape: Shape, queue: String, maximumWidth: Int = 2048, maximumHeight: Int = 2048
  ) {
    self.modelShape = modelShape
    self.queue = queue
    self.maximumWidth = maximumWidth
    self.maximumHeight = maximumHeight
  }

  /// The image with channels last, and only those the model takes.
  ///
  /// - Parameters:
  ///   - image: of the model's rank, batch first; channels last or on axis 1.
  ///   - channels: which channels to take in which order; nil takes all.
  /// - Throws: ``ImageError`` when the rank, the channels or the size do not fit.
  /// - Source: kiosk-redis-consumer 0.17.2, `validate_model_input`. The smallest axis is taken for the
  ///   channels, the first one of equal ones; if that is not the last axis, it is *axis 1* that
  ///   moves, whichever was found.
  @specialized(where Element == Float)
  public func validated<Element>(
    _ image: NDArray<Element>, channels: [Int]? = nil
  ) throws(ImageError) -> NDArray<Element> {
    let rank = modelShape.count
    guard image.rank == rank, rank >= 3, let modelChannels = modelShape.last else {
      throw invalidShape(image.shape)
    }
    let given = image.shape
    var image = image
    if channelAxis(of: image.shape) != rank - 1 { image = image.movingAxis(1, to: rank - 1) }
    if let channels {
      image = try picked(channels, of: image)
    }
    // A model that takes any number of channels declares -1.
    guard image.shape[rank - 1] == modelChannels || modelChannels < 0 else {
      throw invalidShape(given)
    }
    guard image.shape[rank - 2] <= maximumWidth, image.shape[rank - 3] <= maximumHeight else {
      throw ImageError(
        .tooLarge,
        "Input image is larger than the maximum supported image size of "
          + "(\(maximumWidth), \(maximumHeight)). Got \(image.shape.tupleDescription).")
    }
    return image
  }

  private func picked<Element>(
    _ channels: [Int], of image: NDArray<Element>
  ) throws(ImageError) -> NDArray<Element> {
    let available = image.shape[image.rank - 1]
    for channel in channels where channel >= available || channel < 0 {
      throw ImageError(
        .invalidChannels,
        "Input only has \(available) channels but channel \(channel) was declared as an input "
          + "channel.")
    }
    let needed = modelShape[modelShape.count - 1]
    guard channels.count == needed || needed < 0 else {
      throw ImageError(
        .invalidChannels,
        "\(queue) jobs require \(needed) channels but \(channels.count) were declared as input "
          + "channels.")
    }
    return image.selectingChannels(channels)
  }

  private func invalidShape(_ shape: Shape) -> ImageError {
    ImageError(
      .invalidDimensions,
      "Invalid image shape: [\(shape.tupleDescription)]. The \(queue) job expects images of shape"
        + "[\(modelShape.tupleDescription)]")
  }
}

/// The order of an image's axes behind the batch, for a model with `rank` axes: `YXC` or `CYX`,
/// with `Z` in front of `Y` for volumes.
///
/// - Parameter shape: of the image, batch first.
/// - Source: kiosk-redis-consumer 0.17.2, `detect_dimension_order`, for one input.
public func detectDimensionOrder(shape: Shape, modelRank rank: Int) -> String {
  let letters = String("ZYX".suffix(max(rank - 2, 0)))
  return channelAxis(of: shape) == rank - 1 ? letters + "C" : "C" + letters
}

/// The smallest axis behind the batch, the first one of equal ones.
private func channelAxis(of shape: Shape) -> Int? {
  shape.indices.dropFirst().min { shape[$0] < shape[$1] }
}

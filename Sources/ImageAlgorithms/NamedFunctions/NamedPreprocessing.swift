import Arrays

/// What a job can ask to be done with its image before the model sees it.
///
/// - Source: the functions of kiosk-redis-consumer 0.1 to 0.8.4, with their names.
public enum NamedPreprocessing: String, Sendable, CaseIterable {
  case none
  case normalize
  case histogramNormalization = "histogram_normalization"
  case multiplexPreprocess = "multiplex_preprocess"

  /// Reads a job's `preprocess_function`.
  ///
  /// - Parameter list: a name, or none; commas and blanks around it do not matter.
  /// - Throws: ``ImageError`` when the name is not known, or there is more than one.
  public init(list: String) throws(ImageError) { self = try Self.parsed(list) }

  /// Does it.
  ///
  /// - Parameter image: `[batch, row, column, channel]`.
  /// - Returns: the same shape. Each channel of each item is done by itself.
  /// - Throws: ``ImageError`` when the image does not have these axes or cannot be processed, as when a
  ///   pixel is not finite; `CancellationError` between channels.
  public func apply(to image: NDArray<Float>) throws -> NDArray<Float> {
    try requireRank(4, of: image, named: "the image", axes: "batch, row, column, channel")
    switch self {
    case .none: return image
    case .normalize:
      try requireFinite(image, named: "the image")
      return try normalized(image)
    case .histogramNormalization: return try ImageAlgorithms.histogramNormalization(image)
    case .multiplexPreprocess: return try mesmerPreprocessed(image)
    }
  }
}

extension NamedPreprocessing: NamedFunction {
  static let stage = "pre-processing"
  static let unsupported: [String: String] = [:]
}

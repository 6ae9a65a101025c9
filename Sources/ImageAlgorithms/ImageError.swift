import Arrays

/// An image, a parameter or a model's answer that an algorithm cannot work with.
///
/// None of these goes away by trying again: they end a job with ``description`` as its reason.
public struct ImageError: Error, CustomStringConvertible, Equatable {
  public enum Code: String, Sendable {
    /// The image has axes other than those promised or needed.
    case invalidDimensions
    /// A channel was asked for that the image or the model does not have.
    case invalidChannels
    /// A parameter is outside the range in which the algorithm is defined.
    case invalidParameter
    /// The image contains NaN or infinity.
    case notFinite
    /// The image is larger than the configured limit.
    case tooLarge
    /// The model answered something that does not fit what was sent.
    case unexpectedModelOutput
  }

  public let code: Code
  /// What was found, what was needed, and where; a sentence a biologist understands.
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }

  public var description: String { reason }
}

/// Refuses `array` unless it has `rank` axes; `name` says which array, `axes` what was expected.
func requireRank<Element>(
  _ rank: Int, of array: NDArray<Element>, named name: String, axes: String
) throws(ImageError) {
  guard array.rank == rank else {
    throw ImageError(
      .invalidDimensions,
      "\(name) must have the axes (\(axes)), not the shape \(array.shape.tupleDescription)")
  }
}

/// Refuses `array` unless its shape is `shape`.
func requireShape<Element>(
  _ shape: Shape, of array: NDArray<Element>, named name: String
) throws(ImageError) {
  guard array.shape == shape else {
    throw ImageError(
      .invalidDimensions,
      "\(name) must have the shape \(shape.tupleDescription), not \(array.shape.tupleDescription)")
  }
}

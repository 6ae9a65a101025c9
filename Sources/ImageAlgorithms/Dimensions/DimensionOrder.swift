import Arrays

/// An image with its axes in the order the applications work in.
public struct OrderedImage<Element: ArrayElement>: Sendable {
  /// `[batch, row, column, channel]`; other ranks where the order had other letters.
  public let image: NDArray<Element>
  /// The order the axes were read in, such as `XY` or `CXYB`: the given one, or what was inferred.
  public let order: String
}

/// Brings the axes of an image to `[batch, row, column, channel]`.
///
/// - Parameters:
///   - image: axes as `order` says.
///   - order: one letter per axis: `B` batch, `X` rows, `Y` columns, `C` channels. Empty: inferred
///     by ``inferDimensionOrder(shape:)``.
/// - Throws: ``ImageError`` when the number of letters is not the image's rank, or the order is
///   empty and cannot be inferred.
/// - Source: kiosk-redis-consumer 0.17.2, `image_dimensions_to_bxyc`: of the given orders only `XYB`,
///   `CXY` and `CXYB` move axes, all others are taken as they are. There an empty order fails;
///   here an inferred one moves whatever axes it names.
@specialized(where Element == Float)
public func batchRowColumnChannel<Element>(
  _ image: NDArray<Element>, order: String
) throws(ImageError) -> OrderedImage<Element> {
  if order.isEmpty {
    let inferred = try inferDimensionOrder(shape: image.shape)
    return OrderedImage(image: moved(image, from: inferred), order: inferred)
  }
  guard order.count == image.rank else {
    throw ImageError(
      .invalidDimensions,
      "Input dimension order was \(order) but input image has shape "
        + "\(image.shape.tupleDescription); write one letter for each axis, or leave "
        + "dimension_order empty")
  }
  var result =
    switch order {
    case "XYB": image.movingAxis(2, to: 0)
    case "CXY": image.movingAxis(0, to: 2)
    case "CXYB": image.swappingAxes(0, 3)
    default: image
    }
  let letters = order.uppercased()
  if !letters.contains("B") { result = result.expandingDimensions(at: 0) }
  if !letters.contains("C") { result = result.expandingDimensions(at: result.rank) }
  return OrderedImage(image: result, order: order)
}

/// Guesses what the axes of an image are, for jobs that do not say.
///
/// The smallest axis is taken for channels if it has at most 4 entries (the last one of several
/// equal ones); otherwise a third axis is the batch. A fourth axis is a batch in front.
///
/// - Returns: one letter per axis: `B` batch, `X` rows, `Y` columns, `C` channels.
/// - Throws: ``ImageError`` when the rank is not 2, 3 or 4, or none of four axes looks like channels.
public func inferDimensionOrder(shape: Shape) throws(ImageError) -> String {
  let maximumChannels = 4
  func channelAxis(among axes: Range<Int>) -> Int? {
    guard let smallest = axes.map({ shape[$0] }).min(), smallest <= maximumChannels else {
      return nil
    }
    return axes.last { shape[$0] == smallest }
  }
  switch shape.count {
  case 2: return "XY"
  case 3:
    guard let axis = channelAxis(among: 0..<3) else { return "BXY" }
    return ["CXY", "XCY", "XYC"][axis]
  case 4:
    if let axis = channelAxis(among: 1..<4) { return ["BCXY", "BXCY", "BXYC"][axis - 1] }
    throw ImageError(
      .invalidDimensions,
      "cannot tell which axis of an image of shape \(shape.tupleDescription) holds the channels; "
        + "set dimension_order")
  default:
    throw ImageError(
      .invalidDimensions,
      "cannot infer the dimension order of an image of shape \(shape.tupleDescription); "
        + "images have 2 to 4 axes")
  }
}

/// `image`, whose axes are `order`, as `[batch, row, column, channel]`.
private func moved<Element>(_ image: NDArray<Element>, from order: String) -> NDArray<Element> {
  let letters = Array(order)
  let axes = "BXYC".compactMap { letters.firstIndex(of: $0) }
  var result = image.transposed(axes)
  if !letters.contains("B") { result = result.expandingDimensions(at: 0) }
  if !letters.contains("C") { result = result.expandingDimensions(at: result.rank) }
  return result
}

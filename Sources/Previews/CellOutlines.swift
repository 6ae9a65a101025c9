import Arrays

/// The outlines of labelled cells as polygons along the borders of pixels.
///
/// Corners are in pixels, x before y, with y downwards and the first pixel's upper left corner at 0.
/// Outer rings have a positive area by the shoelace formula, holes a negative one: the right-hand
/// rule of RFC 7946 for coordinates taken as they are. A label whose pieces touch at corners at most
/// has a polygon for each. No ring comes to a corner twice, so that polygons are valid for readers
/// that follow the OGC's Simple Features.
public struct CellOutlines: Sendable {
  /// A closed line.
  struct Ring: Sendable {
    let label: Int32
    /// Counts the 4-connected pieces of all labels.
    let piece: Int32
    let isHole: Bool
    /// Of ``corners``: x and y by turns, the first corner again at the end.
    let corners: Range<Int>
  }

  /// Sorted by label and piece; of each piece the outer ring is the first.
  let rings: [Ring]
  let corners: [Int32]

  /// Follows all outlines, in time linear in the number of pixels.
  ///
  /// - Parameter labels: `[row, column]`; 0 is background.
  /// - Throws: ``ArrayError`` when `labels` has another rank, or more pixels than can be counted.
  public init(_ labels: NDArray<Int32>) throws(ArrayError) {
    guard labels.rank == 2, labels.count <= Int(Int32.max) else {
      throw ArrayError(
        .shapeMismatch,
        "labels of shape \(labels.shape.tupleDescription) are not one image of at most 2^31 pixels")
    }
    var tracer = OutlineTracer(height: labels.shape[0], width: labels.shape[1])
    labels.withUnsafeBuffer { tracer.trace($0) }
    rings = tracer.rings.sorted { a, b in
      if a.label != b.label { return a.label < b.label }
      if a.piece != b.piece { return a.piece < b.piece }
      if a.isHole != b.isHole { return b.isHole }
      return a.corners.lowerBound < b.corners.lowerBound
    }
    corners = tracer.corners
  }
}

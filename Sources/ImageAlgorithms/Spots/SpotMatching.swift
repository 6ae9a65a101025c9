import Arrays

/// Finds the cell that each spot is in.
///
/// - Parameters:
///   - spots: `[spot, 2]`, row and column of each; fractions of pixels are dropped towards 0.
///   - labels: `[row, column]`; 0 is background.
/// - Returns: one label for each spot, in their order; 0 for those outside of cells.
/// - Throws: ``ImageError`` when an array has another shape, or a spot lies outside of the image. Those
///   less than its size above or left of it count from its other edge.
/// - Source: deepcell-spots 0.3.2, `match_spots_to_cells`, whose indices below 0 mean what they do in
///   Python.
public func cells(
  ofSpots spots: NDArray<Double>, in labels: NDArray<Int32>
) throws(ImageError) -> [Int32] {
  try requireRank(2, of: labels, named: "the labels", axes: "row, column")
  try requireRank(2, of: spots, named: "the spots", axes: "spot, coordinate")
  guard spots.shape[1] == 2 else {
    throw ImageError(
      .invalidDimensions,
      "the spots must have two coordinates each, not the shape \(spots.shape.tupleDescription)")
  }
  let (rows, columns) = (labels.shape[0], labels.shape[1])
  return try spots.withUnsafeBuffer { (spots) throws(ImageError) in
    try labels.withUnsafeBuffer { (labels) throws(ImageError) in
      var cells: [Int32] = []
      cells.reserveCapacity(spots.count / 2)
      for i in stride(from: 0, to: spots.count, by: 2) {
        guard let row = index(of: spots[i], in: rows),
          let column = index(of: spots[i + 1], in: columns)
        else {
          throw ImageError(
            .invalidParameter,
            "the spot at row \(spots[i]), column \(spots[i + 1]) lies outside of the image of \(rows) x "
              + "\(columns) pixels")
        }
        cells.append(labels[row * columns + column])
      }
      return cells
    }
  }
}

/// The pixel at a coordinate of an axis; nil if there is none.
private func index(of coordinate: Double, in count: Int) -> Int? {
  let whole = coordinate.rounded(.towardZero)
  // Also false for NaN.
  guard whole >= -Double(count), whole < Double(count) else { return nil }
  return whole < 0 ? Int(whole) + count : Int(whole)
}

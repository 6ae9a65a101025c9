import Arrays

/// Gives each row of a cost matrix a column of its own, so that the sum of the costs is least.
///
/// - Parameter costs: `[row, column]`, at least as many columns as rows, all finite.
/// - Returns: the column of each row.
/// - Throws: ``ImageError`` when the shape is another or a cost is not finite.
/// - Source: the shortest augmenting path algorithm of D. F. Crouse, "On implementing 2D rectangular
///   assignment algorithms", IEEE Transactions on Aerospace and Electronic Systems 52 (2016), after
///   R. Jonker and A. Volgenant, Computing 38 (1987). Of equal sums the one of scipy 1.10.1,
///   `optimize.linear_sum_assignment`, is chosen.
public func linearSumAssignment<Cost: RealPixel>(
  _ costs: NDArray<Cost>
) throws(ImageError) -> [Int] {
  try requireRank(2, of: costs, named: "the costs", axes: "row, column")
  let (rows, columns) = (costs.shape[0], costs.shape[1])
  guard rows <= columns else {
    throw ImageError(
      .invalidDimensions, "\(rows) rows cannot have one of \(columns) columns each")
  }
  return try costs.withUnsafeBuffer { (costs) throws(ImageError) in
    guard costs.allSatisfy(\.isFinite) else {
      throw ImageError(.notFinite, "a cost is not a number (NaN) or infinite")
    }
    var assignment = LinearAssignment(rows: rows, columns: columns)
    for row in 0..<rows {
      assignment.insert(row) { row, line in
        for column in 0..<columns { line[column] = costs[row * columns + column].asDouble }
      }
    }
    return assignment.columnOfRow
  }
}

/// An assignment that grows by one row at a time. Costs are asked for row by row, so that a matrix
/// most of which is known need not exist.
struct LinearAssignment {
  private let columns: Int
  /// -1 for rows that have not been inserted.
  private(set) var columnOfRow: [Int]
  private var rowOfColumn: [Int]
  // The dual variables.
  private var rowPrices: [Double]
  private var columnPrices: [Double]
  // Of the search in hand, kept for their memory.
  private var distances: [Double]
  private var previousRow: [Int]
  private var remaining: [Int]
  private var visitedRows: [Int] = []
  private var line: [Double]

  init(rows: Int, columns: Int) {
    precondition(rows <= columns)
    self.columns = columns
    columnOfRow = Array(repeating: -1, count: rows)
    rowOfColumn = Array(repeating: -1, count: columns)
    rowPrices = Array(repeating: 0, count: rows)
    columnPrices = Array(repeating: 0, count: columns)
    distances = Array(repeating: 0, count: columns)
    previousRow = Array(repeating: -1, count: columns)
    remaining = Array(repeating: 0, count: columns)
    line = Array(repeating: 0, count: columns)
  }

  /// Finds a column for a row, moving rows inserted before as it must.
  ///
  /// - Parameter costs: writes the costs of a row, all finite.
  mutating func insert(
    _ row: Int, costs: (_ row: Int, _ line: UnsafeMutableBufferPointer<Double>) -> Void
  ) {
    let (sink, remainingCount, distance) = search(from: row, costs: costs)

    rowPrices[row] += distance
    for visited in visitedRows where visited != row {
      rowPrices[visited] += distance - distances[columnOfRow[visited]]
    }
    // What was visited has been moved out of the first `remainingCount`.
    for column in remaining[remainingCount...] {
      columnPrices[column] -= distance - distances[column]
    }

    var column = sink
    while true {
      let from = previousRow[column]
      rowOfColumn[column] = from
      swap(&columnOfRow[from], &column)
      if from == row { break }
    }
  }

  /// The shortest path from a row to a column that has no row yet.
  ///
  /// The order in which columns are looked at, and which of equally near ones is taken, decide between
  /// assignments of equal costs.
  private mutating func search(
    from row: Int, costs: (_ row: Int, _ line: UnsafeMutableBufferPointer<Double>) -> Void
  ) -> (sink: Int, remainingCount: Int, distance: Double) {
    visitedRows.removeAll(keepingCapacity: true)
    for column in 0..<columns {
      distances[column] = .infinity
      remaining[column] = columns - 1 - column
    }
    var remainingCount = columns
    var distance = 0.0
    var row = row
    while true {
      visitedRows.append(row)
      line.withUnsafeMutableBufferPointer { costs(row, $0) }
      let (next, nearest) = relax(row, remainingCount: remainingCount, distance: distance)
      distance = nearest
      let column = remaining[next]
      remainingCount -= 1
      remaining.swapAt(next, remainingCount)
      guard rowOfColumn[column] >= 0 else { return (column, remainingCount, distance) }
      row = rowOfColumn[column]
    }
  }

  /// Looks at the columns left from a row.
  ///
  /// - Returns: where in `remaining` the nearest column is, and how far it is.
  private mutating func relax(
    _ row: Int, remainingCount: Int, distance: Double
  ) -> (next: Int, nearest: Double) {
    let price = rowPrices[row]
    return line.withUnsafeBufferPointer { line in
      remaining.withUnsafeBufferPointer { remaining in
        columnPrices.withUnsafeBufferPointer { columnPrices in
          rowOfColumn.withUnsafeBufferPointer { rowOfColumn in
            distances.withUnsafeMutableBufferPointer { distances in
              previousRow.withUnsafeMutableBufferPointer { previousRow in
                var next = 0
                var nearest = Double.infinity
                for position in 0..<remainingCount {
                  let column = remaining[position]
                  let length = distance + line[column] - price - columnPrices[column]
                  if length < distances[column] {
                    previousRow[column] = row
                    distances[column] = length
                  }
                  let known = distances[column]
                  if known < nearest || (known == nearest && rowOfColumn[column] < 0) {
                    nearest = known
                    next = position
                  }
                }
                return (next, nearest)
              }
            }
          }
        }
      }
    }
  }
}

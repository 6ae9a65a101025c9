import Arrays
import ImageAlgorithms

/// The parts of tracking by their definitions.
extension Naive {
  /// The least sum over all permutations.
  static func leastSum(_ costs: NDArray<Double>, from row: Int = 0, used: Set<Int> = []) -> Double {
    if row == costs.shape[0] { return 0 }
    return (0..<costs.shape[1]).filter { !used.contains($0) }.map { column in
      costs[row, column] + leastSum(costs, from: row + 1, used: used.union([column]))
    }.min() ?? 0
  }

  /// The search as the specification of ties words it, over a whole matrix.
  static func assignment(_ costs: NDArray<Double>) -> [Int] {
    let n = costs.shape[0]
    var (u, v) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    var (columnOf, rowOf) = ([Int](repeating: -1, count: n), [Int](repeating: -1, count: n))
    for current in 0..<n {
      var remaining = Array((0..<n).reversed())
      var shortest = [Double](repeating: .infinity, count: n)
      var path = [Int](repeating: -1, count: n)
      var (rows, columns): (Set<Int>, Set<Int>) = ([], [])
      var (least, i, sink) = (0.0, current, -1)
      while sink < 0 {
        rows.insert(i)
        var (lowest, index) = (Double.infinity, -1)
        for (position, j) in remaining.enumerated() {
          let r = least + costs[i, j] - u[i] - v[j]
          if r < shortest[j] { (shortest[j], path[j]) = (r, i) }
          if shortest[j] < lowest || (shortest[j] == lowest && rowOf[j] < 0) {
            (lowest, index) = (shortest[j], position)
          }
        }
        least = lowest
        let j = remaining[index]
        if rowOf[j] < 0 { sink = j } else { i = rowOf[j] }
        columns.insert(j)
        remaining[index] = remaining[remaining.count - 1]
        remaining.removeLast()
      }
      u[current] += least
      for row in rows where row != current { u[row] += least - shortest[columnOf[row]] }
      for column in columns { v[column] -= least - shortest[column] }
      var j = sink
      while true {
        let row = path[j]
        rowOf[j] = row
        (columnOf[row], j) = (j, columnOf[row])
        if row == current { break }
      }
    }
    return columnOf
  }

  struct Form {
    let centroid: (row: Double, column: Double)
    let area: Int
    let perimeter: Double
    let eccentricity: Double
    let box: (rows: ClosedRange<Int>, columns: ClosedRange<Int>)
  }

  /// One label, by itself.
  static func form(of label: Int32, in labels: NDArray<Int32>) -> Form {
    let cell = pixels(labels).filter { labels[$0.row, $0.column] == label }
    let (rows, columns) = (cell.map(\.row), cell.map(\.column))
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let (y, x) = (mean(rows.map { Double($0) }), mean(columns.map { Double($0) }))
    let rr = mean(rows.map { (Double($0) - y) * (Double($0) - y) })
    let cc = mean(columns.map { (Double($0) - x) * (Double($0) - x) })
    let rc = mean(cell.map { (Double($0.row) - y) * (Double($0.column) - x) })
    let root = ((rr - cc) * (rr - cc) + 4 * rc * rc).squareRoot()
    let (greater, less) = (max((rr + cc + root) / 2, 0), max((rr + cc - root) / 2, 0))

    func isCell(_ row: Int, _ column: Int) -> Bool {
      isInside(row, column, labels) && labels[row, column] == label
    }
    func isBorder(_ row: Int, _ column: Int) -> Bool {
      isCell(row, column)
        && ![(-1, 0), (1, 0), (0, -1), (0, 1)].allSatisfy { isCell(row + $0.0, column + $0.1) }
    }
    var perimeter = 0.0
    for (row, column) in cell {
      var code = 0
      for dy in -1...1 {
        for dx in -1...1 where isBorder(row + dy, column + dx) {
          code += [1, 2, 10][abs(dy) + abs(dx)]
        }
      }
      if [5, 7, 15, 17, 25, 27].contains(code) { perimeter += 1 }
      if [21, 33].contains(code) { perimeter += 2.0.squareRoot() }
      if [13, 23].contains(code) { perimeter += (1 + 2.0.squareRoot()) / 2 }
    }
    return Form(
      centroid: (y, x), area: cell.count, perimeter: perimeter,
      eccentricity: greater == 0 ? 0 : (1 - less / greater).squareRoot(),
      box: (rows.min()!...rows.max()!, columns.min()!...columns.max()!))
  }

  /// The box around a cell, cut out and stretched; a single row is a column.
  static func appearance(
    _ form: Form, of image: NDArray<Float>, size: Int
  ) throws -> NDArray<Float> {
    let (rows, columns) = (form.box.rows, form.box.columns)
    let values = rows.flatMap { row in columns.map { image[row, $0] } }
    let shape =
      rows.count == 1 ? [1, columns.count, 1, 1] : [1, rows.count, columns.count, 1]
    return try resized(NDArray(shape: shape, elements: values), rows: size, columns: size)
      .slice(0)
  }
}

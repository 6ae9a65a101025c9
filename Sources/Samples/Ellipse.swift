/// An ellipse in an image, as nuclei look.
struct Ellipse {
  var centre: (row: Float, column: Float)
  var axes: (long: Float, short: Float)
  /// Of the long axis, of length 1.
  var direction: (row: Float, column: Float)

  /// Where a point lies as seen from the centre, along and across the long axis; the edge has the
  /// distance 1 from 0, 0.
  func position(row: Float, column: Float) -> (along: Float, across: Float) {
    let (y, x) = (row - centre.row, column - centre.column)
    return (
      (y * direction.row + x * direction.column) / axes.long,
      (x * direction.row - y * direction.column) / axes.short
    )
  }

  /// Calls `body` with the row and column of each pixel inside and its position.
  func forEachPixel(
    rows: Int, columns: Int,
    _ body: (_ row: Int, _ column: Int, _ position: (along: Float, across: Float)) -> Void
  ) {
    func range(_ centre: Float, _ count: Int) -> Range<Int> {
      let start = max(Int(centre - axes.long), 0)
      return start..<max(min(Int(centre + axes.long) + 2, count), start)
    }
    for row in range(centre.row, rows) {
      for column in range(centre.column, columns) {
        let position = position(row: Float(row), column: Float(column))
        if position.along * position.along + position.across * position.across <= 1 {
          body(row, column, position)
        }
      }
    }
  }
}

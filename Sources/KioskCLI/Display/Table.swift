/// Rows of text in columns, each as wide as what is in it, for people.
struct Table {
  struct Column {
    let heading: String
    /// Numbers end where their column ends.
    var isNumber = false
    /// Left out when all its cells are empty.
    var isOptional = false
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  private static let gap = "  "
  /// A column is not made narrower than this.
  private static let narrowest = 4

  init(_ columns: [Column]) { self.columns = columns }

  /// - Parameter cells: one for each column; what would steer a terminal is replaced.
  mutating func add(_ cells: [String]) { rows.append(cells.map(\.printable)) }

  /// - Parameter width: columns of the terminal; nil for as wide as need be.
  func text(width: Int?, ellipsis: String) -> String {
    let shown = columns.indices.filter { index in
      !columns[index].isOptional || rows.contains { !$0[index].isEmpty }
    }
    let lines = [columns.map(\.heading)] + rows
    var widths = shown.map { index in lines.map { $0[index].columns }.max() ?? 0 }
    if let width {
      // The widest gives way first: most often a key or an error.
      var excess = widths.reduce(Self.gap.count * (widths.count - 1), +) - width
      while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
        widths[widest] > Self.narrowest
      {
        widths[widest] -= 1
        excess -= 1
      }
    }
    return lines.map { line in
      let cells = zip(shown, widths).map { index, width in
        let cell = line[index]
        let room = width - cell.columns
        return columns[index].isNumber && room > 0
          ? String(repeating: " ", count: room) + cell
          : cell.fitted(to: width, ellipsis: ellipsis)
      }
      let text = cells.joined(separator: Self.gap)
      let end = text.lastIndex { $0 != " " }.map(text.index(after:)) ?? text.startIndex
      let whole = String(text[..<end])
      return width.map { whole.shortened(to: $0, ellipsis: ellipsis) } ?? whole
    }.joined(separator: "\n")
  }
}

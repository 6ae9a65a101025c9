extension SpotSample {
  /// The spots as polaris jobs list them: column, row and, in a tissue, the cell's label.
  package var table: String {
    let header = tissue == nil ? "x,y" : "x,y,cellID0"
    let lines = spots.map { spot in
      let cell = tissue.map { ",\($0.cells[Int(spot.row), Int(spot.column)])" } ?? ""
      return "\(spot.column),\(spot.row)\(cell)"
    }
    return ([header] + lines).map { $0 + "\r\n" }.joined()
  }
}

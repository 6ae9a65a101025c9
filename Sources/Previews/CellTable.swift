import Arrays

/// Writes a table of cells as comma-separated values, one row per label.
///
/// Numbers have a point, rows end in a line feed. `bbox_y1` and `bbox_x1` are one past the cell's last
/// row and column. Centroids have three decimals at most; means those that single precision has,
/// and are empty where the image has no numbers or was not there.
public struct CellTable {
  private let meanColumns: Int
  private var text: TextWriter

  /// Writes the header.
  ///
  /// - Parameters:
  ///   - meanColumns: channels of the image whose brightness is measured.
  ///   - write: takes the text in parts.
  public init(meanColumns: Int, write: @escaping ([UInt8]) throws -> Void) {
    self.meanColumns = meanColumns
    text = TextWriter(write)
    text.append("file,frame,channel,label,area_px,centroid_y,centroid_x")
    text.append(",bbox_y0,bbox_x0,bbox_y1,bbox_x1")
    for column in 0..<meanColumns { text.append(",mean_\(column)") }
    text.append("\n")
  }

  /// Writes the cells of one label image.
  ///
  /// - Parameter means: for each column those of all cells, or nothing.
  public mutating func add(
    _ cells: [CellMeasurements.Cell], means: [[Double]], of source: CellSource
  ) throws {
    for (index, cell) in cells.enumerated() {
      text.append(csvField: source.file)
      for number in [source.frame, source.channel, Int(cell.label), cell.area] {
        text.append(UInt8(ascii: ","))
        text.append(number)
      }
      for number in [cell.centroid.y, cell.centroid.x] {
        text.append(UInt8(ascii: ","))
        text.append("\((number * 1000).rounded() / 1000)")
      }
      for number in [
        cell.rows.lowerBound, cell.columns.lowerBound, cell.rows.upperBound,
        cell.columns.upperBound,
      ] {
        text.append(UInt8(ascii: ","))
        text.append(number)
      }
      for column in 0..<meanColumns {
        text.append(UInt8(ascii: ","))
        let mean = column < means.count ? Float(means[column][index]) : .nan
        if mean.isFinite { text.append("\(mean)") }
      }
      text.append(UInt8(ascii: "\n"))
      try text.handOnBlocks()
    }
  }

  /// Writes what is left.
  public mutating func finish() throws { try text.handOnAll() }
}

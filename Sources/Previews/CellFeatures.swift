import Arrays

/// Writes outlines of cells as a GeoJSON FeatureCollection, as QuPath reads it.
///
/// Each label is a Feature with a Polygon, or with a MultiPolygon where it is in several pieces.
/// Coordinates are corners of pixels, x before y, y downwards.
///
/// - Source: RFC 7946, but for its geographic coordinates.
public struct CellFeatures {
  private var text: TextWriter
  private var isFirst = true

  /// - Parameter write: takes the text in parts.
  public init(write: @escaping ([UInt8]) throws -> Void) {
    text = TextWriter(write)
    text.append(#"{"type":"FeatureCollection","features":["#)
  }

  /// Writes the cells of one label image.
  ///
  /// - Parameter namesFile: whether to write the property `file`, for collections of several images.
  public mutating func add(
    _ outlines: CellOutlines, of source: CellSource, namesFile: Bool = false
  ) throws {
    var rest = outlines.rings[...]
    while let first = rest.first {
      let end = rest.firstIndex { $0.label != first.label } ?? rest.endIndex
      text.append(isFirst ? "\n" : ",\n")
      isFirst = false
      text.append(#"{"type":"Feature","geometry":{"type":"#)
      append(rest[..<end], of: outlines)
      text.append(#"},"properties":{"objectType":"detection","label":"#)
      text.append(Int(first.label))
      text.append(#","frame":"#)
      text.append(source.frame)
      text.append(#","channel":"#)
      text.append(source.channel)
      if namesFile {
        text.append(#","file":"#)
        text.append(jsonString: source.file)
      }
      text.append("}}")
      try text.handOnBlocks()
      rest = rest[end...]
    }
  }

  /// Writes the end of the collection.
  public mutating func finish() throws {
    text.append("\n]}\n")
    try text.handOnAll()
  }

  /// The type and the coordinates of one label.
  private mutating func append(
    _ rings: ArraySlice<CellOutlines.Ring>, of outlines: CellOutlines
  ) {
    let isMulti = rings.first?.piece != rings.last?.piece
    text.append(isMulti ? #""MultiPolygon","coordinates":[[["# : #""Polygon","coordinates":[["#)
    var piece = rings.first?.piece
    for (number, ring) in rings.enumerated() {
      if number > 0 { text.append(ring.piece == piece ? "],[" : "]],[[") }
      piece = ring.piece
      for position in stride(from: ring.corners.lowerBound, to: ring.corners.upperBound, by: 2) {
        text.append(position == ring.corners.lowerBound ? "[" : ",[")
        text.append(Int(outlines.corners[position]))
        text.append(UInt8(ascii: ","))
        text.append(Int(outlines.corners[position + 1]))
        text.append(UInt8(ascii: "]"))
      }
    }
    text.append(isMulti ? "]]]" : "]]")
  }
}

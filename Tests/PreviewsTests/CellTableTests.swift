import Arrays
import TestSupport
import Testing

@testable import Previews

@Suite(.computing) struct CellTableTests {
  private func write(
    _ labels: NDArray<Int32>, _ channels: [NDArray<Float>], file: String = "a.tif",
    columns: Int? = nil
  ) throws -> [String] {
    var bytes: [UInt8] = []
    var table = CellTable(meanColumns: columns ?? channels.count) { bytes += $0 }
    let cells = try CellMeasurements(labels)
    try table.add(
      cells.cells, means: channels.map { try cells.means(of: $0) },
      of: CellSource(file: file, frame: 3, channel: 1))
    try table.finish()
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.hasSuffix("\n"))
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  private static let header =
    "file,frame,channel,label,area_px,centroid_y,centroid_x,bbox_y0,bbox_x0,bbox_y1,bbox_x1"

  @Test func `cells have a row each, with place, extent and brightness`() throws {
    let labels = NDArray<Int32>(
      shape: [3, 4],
      elements: [
        9, 9, 0, 2,
        9, 0, 0, 2,
        0, 0, 0, 0,
      ])
    let bright = NDArray<Float>(shape: [3, 4], elements: (0..<12).map(Float.init))
    let dark = NDArray<Float>(shape: [3, 4], repeating: 0.1)
    #expect(
      try write(labels, [bright, dark]) == [
        Self.header + ",mean_0,mean_1",
        "a.tif,3,1,2,2,0.5,3.0,0,3,2,4,5.0,0.1",
        "a.tif,3,1,9,3,0.333,0.333,0,0,2,2,1.6666666,0.1",
      ])
    #expect(
      try write(labels, []) == [
        Self.header, "a.tif,3,1,2,2,0.5,3.0,0,3,2,4", "a.tif,3,1,9,3,0.333,0.333,0,0,2,2",
      ])
  }

  @Test(arguments: [
    ("plain name.tif", "plain name.tif"), ("a,b.tif", "\"a,b.tif\""),
    ("a\"b.tif", "\"a\"\"b.tif\""), ("", ""), ("細胞;.tif", "細胞;.tif"), ("a\rb", "\"a\rb\""),
  ])
  func `names are quoted where a reader would stumble`(name: String, field: String) throws {
    let rows = try write(NDArray(shape: [1, 1], elements: [1]), [], file: name)
    #expect(rows.last == field + ",3,1,1,1,0.0,0.0,0,0,1,1")
  }

  @Test func `a mean that is no number, or of a channel without pixels, is left empty`() throws {
    let labels = NDArray<Int32>(shape: [1, 2], elements: [1, 2])
    let image = NDArray<Float>(shape: [1, 2], elements: [.nan, 4])
    #expect(
      try write(labels, [image], columns: 2).dropFirst() == [
        "a.tif,3,1,1,1,0.0,0.0,0,0,1,1,,", "a.tif,3,1,2,1,0.0,1.0,0,1,1,2,4.0,",
      ])
  }

  @Test(arguments: 0..<200)
  func `measurements are those of the plain definitions`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let height = Int.random(in: 0...20, using: &generator)
    let width = Int.random(in: 0...20, using: &generator)
    let values = (0..<height * width).map { _ in
      [0, 0, 1, 1, 2, 5, .max, -3].randomElement(using: &generator) ?? 0 as Int32
    }
    let pixels = values.map { _ in Float(Int.random(in: 0...1000, using: &generator)) }
    let cells = try CellMeasurements(NDArray(shape: [height, width], elements: values))
    let means = try cells.means(of: NDArray(shape: [height, width], elements: pixels))
    #expect(cells.cells.map(\.label) == Set(values).subtracting([0]).sorted())
    for (cell, mean) in zip(cells.cells, means) {
      let places = values.indices.filter { values[$0] == cell.label }
      let (ys, xs) = (places.map { $0 / width }, places.map { $0 % width })
      let count = Double(places.count)
      #expect(cell.area == places.count)
      #expect(cell.centroid == (Double(ys.reduce(0, +)) / count, Double(xs.reduce(0, +)) / count))
      #expect(cell.rows == ys.min()!..<ys.max()! + 1)
      #expect(cell.columns == xs.min()!..<xs.max()! + 1)
      #expect(abs(mean - Double(places.reduce(0) { $0 + pixels[$1] }) / count) < 1e-9)
    }
  }

  @Test func `an image of other extents is refused with both shapes`() throws {
    let cells = try CellMeasurements(NDArray(shape: [2, 3]))
    #expect {
      try cells.means(of: NDArray(shape: [3, 2]))
    } throws: { error in
      "\(error)".contains("(2, 3)") && "\(error)".contains("(3, 2)")
    }
    #expect(throws: ArrayError.self) { try CellMeasurements(NDArray(shape: [3])) }
  }
}

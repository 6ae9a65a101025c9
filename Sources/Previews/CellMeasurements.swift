import Arrays

/// Where each cell of one label image is, how large, and how bright in a channel.
public struct CellMeasurements: Sendable {
  /// What is known of one cell from its label alone.
  public struct Cell: Sendable, Equatable {
    public let label: Int32
    /// In pixels.
    public let area: Int
    /// The mean of its pixels' places, which are whole numbers from 0.
    public let centroid: (y: Double, x: Double)
    /// The smallest rectangle around it; ends are one past the last pixel.
    public let rows: Range<Int>
    public let columns: Range<Int>

    public static func == (a: Cell, b: Cell) -> Bool {
      a.label == b.label && a.area == b.area && a.centroid == b.centroid && a.rows == b.rows
        && a.columns == b.columns
    }
  }

  /// Neighbouring pixels of one cell in one row.
  private struct Run {
    let start: Int
    let count: Int32
    let cell: Int32
  }

  private struct Sums {
    let label: Int32
    var area = 0
    var y = 0
    var x = 0
    var rows: Range<Int>
    var columns: Range<Int>

    mutating func add(row: Int, columns run: Range<Int>) {
      area += run.count
      y += row * run.count
      // The sum of consecutive numbers.
      x += (run.lowerBound + run.upperBound - 1) * run.count / 2
      rows = rows.lowerBound..<row + 1
      columns =
        min(columns.lowerBound, run.lowerBound)..<max(columns.upperBound, run.upperBound)
    }

    var cell: Cell {
      Cell(
        label: label, area: area,
        centroid: (y: Double(y) / Double(area), x: Double(x) / Double(area)), rows: rows,
        columns: columns)
    }
  }

  /// In order of their labels.
  public let cells: [Cell]
  private let shape: Shape
  private let runs: [Run]
  /// The place in ``cells`` of each number that runs speak of.
  private let places: [Int]

  /// - Parameter labels: `[row, column]`; 0 is background.
  /// - Throws: ``ArrayError`` when `labels` has another rank.
  public init(_ labels: NDArray<Int32>) throws(ArrayError) {
    guard labels.rank == 2 else {
      throw ArrayError(
        .shapeMismatch, "labels of shape \(labels.shape.tupleDescription) are not one image")
    }
    shape = labels.shape
    let (height, width) = (labels.shape[0], labels.shape[1])
    var runs: [Run] = []
    var sums: [Sums] = []
    var numbers: [Int32: Int32] = [:]
    labels.withUnsafeBuffer { labels in
      for y in 0..<height {
        var x = 0
        while x < width {
          let start = x
          let label = labels[y * width + start]
          repeat { x += 1 } while x < width && labels[y * width + x] == label
          if label == 0 { continue }
          let number = numbers[label] ?? Int32(sums.count)
          if number == sums.count {
            numbers[label] = number
            sums.append(Sums(label: label, rows: y..<y + 1, columns: start..<x))
          }
          runs.append(Run(start: y * width + start, count: Int32(x - start), cell: number))
          sums[Int(number)].add(row: y, columns: start..<x)
        }
      }
    }
    self.runs = runs
    let order = sums.indices.sorted { sums[$0].label < sums[$1].label }
    var places = Array(repeating: 0, count: sums.count)
    for (place, number) in order.enumerated() { places[number] = place }
    self.places = places
    cells = order.map { sums[$0].cell }
  }

  /// The mean brightness of each cell, in the order of ``cells``.
  ///
  /// - Parameter image: `[row, column]` of the labels' extents.
  /// - Throws: ``ArrayError`` when the extents differ.
  public func means(of image: NDArray<Float>) throws(ArrayError) -> [Double] {
    guard image.shape == shape else {
      throw ArrayError(
        .shapeMismatch,
        "labels of shape \(shape.tupleDescription) do not fit an image of shape "
          + image.shape.tupleDescription)
    }
    var sums = Array(repeating: 0.0, count: cells.count)
    image.withUnsafeBuffer { pixels in
      for run in runs {
        var sum = 0.0
        for value in pixels[run.start..<run.start + Int(run.count)] { sum += Double(value) }
        sums[places[Int(run.cell)]] += sum
      }
    }
    return zip(sums, cells).map { $0 / Double($1.area) }
  }
}

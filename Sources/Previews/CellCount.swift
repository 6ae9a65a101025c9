import Arrays

/// How many cells a label image has and how large they are.
public struct CellCount: Sendable, Equatable {
  public let cells: Int
  /// In pixels; nil without cells.
  public let medianArea: Double?

  /// Areas that are likely for cells; see ``hint``.
  public static let plausibleAreas = 20.0...5000.0

  /// Counts the labels of each frame for itself.
  ///
  /// - Parameter labels: `[row, column]` or `[..., row, column]`; 0 is background.
  public init(_ labels: NDArray<Int32>) { self.init(areas: Self.areas(of: labels)) }

  /// The area in pixels of each cell of each frame, in no order.
  ///
  /// - Parameter labels: `[row, column]` or `[..., row, column]`; 0 is background.
  public static func areas(of labels: NDArray<Int32>) -> [Int] {
    let frame = labels.shape.suffix(2).reduce(1, *)
    var areas: [Int] = []
    labels.withUnsafeBuffer { labels in
      var byLabel: [Int32: Int] = [:]
      var start = 0
      while start < labels.count {
        byLabel.removeAll(keepingCapacity: true)
        // Most pixels continue the run of their left neighbour.
        var label: Int32 = 0
        var run = 0
        for value in labels[start..<start + frame] {
          if value == label {
            run += 1
            continue
          }
          if label != 0 { byLabel[label, default: 0] += run }
          label = value
          run = 1
        }
        if label != 0 { byLabel[label, default: 0] += run }
        areas.append(contentsOf: byLabel.values)
        start += frame
      }
    }
    return areas
  }

  /// Counts cells of these areas.
  public init(areas: [Int]) {
    cells = areas.count
    let sorted = areas.sorted()
    let middle = sorted.count / 2
    medianArea =
      sorted.isEmpty
      ? nil
      : sorted.count % 2 == 1
        ? Double(sorted[middle]) : Double(sorted[middle - 1] + sorted[middle]) / 2
  }

  /// What to check when the numbers are unlikely for cells; nil if they are not.
  public var hint: String? {
    let advice = "check pixel size (scale), channel order and model"
    guard let medianArea else { return "no cells were found: \(advice)" }
    if medianArea < Self.plausibleAreas.lowerBound {
      return "the cells are unusually small: \(advice)"
    }
    if medianArea > Self.plausibleAreas.upperBound {
      return "the cells are unusually large: \(advice)"
    }
    return nil
  }
}

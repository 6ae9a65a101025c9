import Arrays
import ImageAlgorithms

extension ClassicalModel {
  /// Nuclei as classes of pixels, for jobs that name their model: whole images or pieces of any size,
  /// in any unit of brightness.
  ///
  /// Edges are decided by what lies within 30 pixels: nuclei, and those that touch them. Up to some 100
  /// pixels away the darkest and the brightest still sway, a little, what counts as background. So
  /// pieces with the margin of a field of 61 pixels get about what the whole image gets, and large
  /// images are worked on in parts.
  static let pixelwise = ClassicalModel(
    "Pixelwise", version: 1, about: "nuclei as classes edge, interior and background",
    inputs: [Tensor(name: "image", extents: [.any("row"), .any("column"), 1])],
    outputs: [Tensor(name: "prediction", extents: [.any("row"), .any("column"), 3])]
  ) { inputs in [try pixelClasses(of: inputs[0].channel(0))] }

  /// Pixels around a part that are looked at for it; whole cells of the coarse grid, so that those of
  /// all parts are the same.
  private static let partMargin = 100

  private static let finder: ObjectFinder = {
    var finder = ObjectFinder()
    finder.backgroundWindow = 15
    finder.backgroundSteps = 2
    return finder
  }()

  /// Classes of an image's pixels, by square parts one after the other, so that memory is bounded.
  ///
  /// - Parameters:
  ///   - image: `[row, column]`, finite.
  ///   - side: of the parts; their margins are added.
  /// - Returns: `[row, column, class]`, see ``PixelClasses``.
  static func pixelClasses(of image: NDArray<Float>, side: Int = 800) throws -> NDArray<Float> {
    func classes(_ part: NDArray<Float>) throws -> NDArray<Float> {
      try PixelClasses.probabilities(of: finder.objects(in: LocalContrast.evened(part)))
    }
    let (rows, columns) = (image.shape[0], image.shape[1])
    guard image.count > 0 else { return NDArray(shape: [rows, columns, 3]) }
    guard max(rows, columns) > side + 2 * partMargin else { return try classes(image) }
    return try NDArray(uninitialized: [rows, columns, 3]) { output in
      for top in stride(from: 0, to: rows, by: side) {
        for left in stride(from: 0, to: columns, by: side) {
          try Task.checkCancellation()
          let (bottom, right) = (min(top + side, rows), min(left + side, columns))
          let part = Part(
            rows: max(top - partMargin, 0)..<min(bottom + partMargin, rows),
            columns: max(left - partMargin, 0)..<min(right + partMargin, columns))
          let answer = try classes(part.cut(from: image))
          answer.withUnsafeBuffer { answer in
            for row in top..<bottom {
              let from =
                ((row - part.rows.lowerBound) * part.columns.count
                  + left - part.columns.lowerBound) * 3
              _ = output[((row * columns + left) * 3)...].update(
                fromContentsOf: answer[from..<from + (right - left) * 3])
            }
          }
        }
      }
    }
  }
}

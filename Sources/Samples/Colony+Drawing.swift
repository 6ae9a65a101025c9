import Arrays
import ImageAlgorithms

extension Colony {
  private static let ground: Float = 80
  private static let blur = 1.1

  /// A picture of the nuclei and where they are, `[row, column]`; the labels are those of their
  /// tracks.
  mutating func draw() throws -> (image: NDArray<Float>, labels: NDArray<Int32>) {
    var labels = NDArray<Int32>(shape: [side, side])
    var light = NDArray<Float>(shape: [side, side], repeating: Self.ground)
    // Of the nucleus a pixel belongs to: where two overlap, it is the one it lies deeper in.
    var depths = NDArray<Float>(shape: [side, side], repeating: .infinity)
    labels.withUnsafeMutableBuffer { labels in
      light.withUnsafeMutableBuffer { light in
        depths.withUnsafeMutableBuffer { depths in
          for nucleus in nuclei {
            nucleus.ellipse.forEachPixel(rows: side, columns: side) { row, column, position in
              let (along, across) = position
              let depth = along * along + across * across
              let i = row * side + column
              guard depth < depths[i] else { return }
              depths[i] = depth
              labels[i] = Int32(nucleus.label)
              light[i] = Self.ground + nucleus.light(along: along, across: across)
            }
          }
        }
      }
    }
    let blurred = try gaussian(light, sigma: Self.blur)
    return (Camera.picture(of: blurred, &generator), labels)
  }
}

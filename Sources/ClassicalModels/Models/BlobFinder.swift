import Arrays
import Foundation

/// Finds blobs and their sizes: places that are brighter than a ring around them, in one scale more
/// so than in those next to it.
///
/// - Source: Lindeberg, *Feature Detection with Automatic Scale Selection* (1998). Gaussians are stood
///   in for by two passes of a box.
struct BlobFinder {
  struct Blob {
    let row: Int
    let column: Int
    let radius: Float
    /// Brighter than what is around it by about so much.
    let strength: Float
  }

  /// Sides of the boxes, in pixels.
  private static let boxes = [3, 5, 7, 9, 11, 13, 17, 21, 25, 31, 37, 45, 55, 67, 81, 99]
  /// Standard deviations of the Gaussians they stand for: those of two boxes together.
  private static let sigmas = boxes.map { (Float($0 * $0 - 1) / 6).squareRoot() }
  /// Of a disc's radius to the standard deviation of the blob detector that answers to it most.
  private static let radiusPerSigma: Float = 1.05 * Float(2).squareRoot()
  /// How many standard deviations of the noise a blob rises above it.
  private static let noiseFactor: Float = 6
  /// Strength, as a share of the image's range, that counts as none.
  private static let leastShare: Float = 1e-4
  /// Blobs weaker than this share of the strong ones are dropped.
  private static let strengthShare: Float = 0.35

  /// - Parameter image: `[row, column]`, finite, not negative.
  /// - Returns: blobs that do not lie within each other, the strongest large ones first.
  func blobs(in image: NDArray<Float>) -> [Blob] {
    guard image.count > 0 else { return [] }
    let layers = Self.layers(of: image)
    var found: [Blob] = []
    let floor = Self.floors(of: layers, image)
    for index in 1..<layers.count - 1 {
      Self.collect(layers[index - 1...index + 1], atLeast: floor[index], into: &found)
    }
    return Self.strong(Self.apart(found))
  }

  /// Differences of neighbouring Gaussians and the scale each is for.
  private struct Layer {
    let values: NDArray<Float>
    let sigma: Float
  }

  private static func layers(of image: NDArray<Float>) -> [Layer] {
    let blurred = boxes.map { LocalFilters.mean(LocalFilters.mean(image, size: $0), size: $0) }
    return zip(blurred.indices, blurred.indices.dropFirst()).map { fine, wide in
      let scale = 1 / log(sigmas[wide] / sigmas[fine])
      return Layer(
        values: combined(blurred[fine], blurred[wide]) { ($0 - $1) * scale },
        sigma: (sigmas[fine] * sigmas[wide]).squareRoot())
    }
  }

  /// What noise alone may reach in each layer. White noise falls with the scale; the finest layer of
  /// an image with blobs is noise for the most part.
  private static func floors(of layers: [Layer], _ image: NDArray<Float>) -> [Float] {
    let finest = layers[0].values.elements.map(abs).sorted()
    let noise = finest[finest.count / 2] / 0.6745  // median deviation to standard deviation
    let least = leastShare * (image.elements.max() ?? 0)
    return layers.map { max(noiseFactor * noise * layers[0].sigma / $0.sigma, least) }
  }

  /// Pixels of the middle one of three layers that are greater than their neighbours in all three.
  private static func collect(
    _ layers: ArraySlice<Layer>, atLeast floor: Float, into blobs: inout [Blob]
  ) {
    let (finer, layer, wider) = (
      layers[layers.startIndex], layers[layers.startIndex + 1], layers[layers.startIndex + 2]
    )
    let (rows, columns) = (layer.values.shape[0], layer.values.shape[1])
    // Of what lies across the edge of the image too little is seen.
    let margin = max(Int(layer.sigma * radiusPerSigma / 2), 1)
    guard rows > 2 * margin, columns > 2 * margin else { return }
    layer.values.withUnsafeBuffer { values in
      finer.values.withUnsafeBuffer { finer in
        wider.values.withUnsafeBuffer { wider in
          for row in margin..<rows - margin {
            for i in row * columns + margin..<(row + 1) * columns - margin {
              let value = values[i]
              guard value > floor, value > finer[i], value > wider[i],
                value > values[i - 1], value >= values[i + 1],
                value > values[i - columns], value >= values[i + columns],
                value > values[i - columns - 1], value > values[i - columns + 1],
                value >= values[i + columns - 1], value >= values[i + columns + 1]
              else { continue }
              blobs.append(
                Blob(
                  row: row, column: i % columns,
                  radius: radiusPerSigma * sigma(layers, finer[i], value, wider[i]),
                  strength: value))
            }
          }
        }
      }
    }
  }

  /// The scale at the top of the parabola through three values.
  private static func sigma(
    _ layers: ArraySlice<Layer>, _ finer: Float, _ middle: Float, _ wider: Float
  ) -> Float {
    let sigmas = layers.map(\.sigma)
    let steps = (finer - wider) / (2 * (finer - 2 * middle + wider))
    let ratio = steps < 0 ? sigmas[1] / sigmas[0] : sigmas[2] / sigmas[1]
    return sigmas[1] * pow(ratio, steps)
  }

  /// Drops blobs that lie within a stronger or larger one, or around it.
  private static func apart(_ blobs: [Blob]) -> [Blob] {
    let ordered = blobs.sorted {
      $0.strength * $0.radius.squareRoot() > $1.strength * $1.radius.squareRoot()
    }
    var kept: [Blob] = []
    for blob in ordered {
      let isFree = kept.allSatisfy { other in
        let (y, x) = (Float(blob.row - other.row), Float(blob.column - other.column))
        let reach = max(blob.radius, other.radius)
        return y * y + x * x >= reach * reach
      }
      if isFree { kept.append(blob) }
    }
    return kept
  }

  private static func strong(_ blobs: [Blob]) -> [Blob] {
    let strengths = blobs.map(\.strength).sorted(by: >)
    guard !strengths.isEmpty else { return [] }
    let least = strengthShare * strengths[strengths.count / 10]
    return blobs.filter { $0.strength >= least }
  }
}

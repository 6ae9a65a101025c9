import Arrays
import Foundation
import ImageAlgorithms

/// Finds spots as wide as a microscope draws a point: local maxima of a difference of Gaussians that rise
/// above the noise around them.
///
/// - Source: the difference of Gaussians as in Lindeberg, *Feature Detection with Automatic Scale
///   Selection* (1998), in one scale; the test of curvatures as in Lowe, *Distinctive Image Features
///   from Scale-Invariant Keypoints* (2004).
struct SpotFinder {
  struct Spot {
    /// The pixel its middle lies in.
    let row: Int
    let column: Int
    /// From that pixel to the middle, at most one in each direction.
    let offset: (row: Float, column: Float)
    /// How likely it is a spot, 0...1.
    let probability: Float
  }

  /// Standard deviations of the two Gaussians; spots have about one in between.
  private static let (narrow, wide) = (1.0, 1.8)
  /// Side of the windows that the noise is looked for in.
  private static let noiseWindow = 31
  /// Noise that is there in any case, as a share of the tile's range.
  private static let leastNoise: Float = 5e-4
  /// Standard deviations of the noise by which one in two maxima is a spot, and how much likelier one
  /// more makes it.
  private static let (threshold, steepness): (Float, Float) = (5, 3)
  /// Of the lesser curvature to the greater one; lines and edges are bent in one direction only.
  private static let leastRoundness: Float = 0.3
  /// Less likely ones are left out.
  private static let leastProbability: Float = 0.05

  /// - Parameter image: `[row, column]`, finite.
  func spots(in image: NDArray<Float>) throws -> [Spot] {
    let (rows, columns) = (image.shape[0], image.shape[1])
    let values = image.elements
    let range = (values.max() ?? 0) - (values.min() ?? 0)
    guard rows > 2, columns > 2, range > 0 else { return [] }
    let response = combined(
      try gaussian(image, sigma: Self.narrow), try gaussian(image, sigma: Self.wide)
    ) { $0 - $1 }
    let noise = Self.noise(of: response, atLeast: Self.leastNoise * range)
    var spots: [Spot] = []
    response.withUnsafeBuffer { response in
      noise.withUnsafeBuffer { noise in
        for row in 1..<rows - 1 {
          for i in row * columns + 1..<(row + 1) * columns - 1 {
            let value = response[i]
            // Of equal neighbours the last one wins.
            guard value > 0, value > response[i + 1], value >= response[i - 1],
              value > response[i + columns], value >= response[i - columns],
              value > response[i + columns + 1], value > response[i + columns - 1],
              value >= response[i - columns - 1], value >= response[i - columns + 1]
            else { continue }
            let top = Top(response, at: i, columns: columns)
            let probability =
              1 / (1 + exp(-Self.steepness * (value / noise[i] - Self.threshold)))
            guard probability >= Self.leastProbability, top.roundness >= Self.leastRoundness
            else { continue }
            spots.append(
              Spot(
                row: row, column: i % columns, offset: top.offset, probability: probability))
          }
        }
      }
    }
    return spots
  }

  /// The standard deviation of the noise in a response around each pixel.
  ///
  /// - Source: the median absolute deviation is 0.6745 standard deviations of a normal distribution.
  private static func noise(
    of response: NDArray<Float>, atLeast least: Float
  ) -> NDArray<Float> {
    // Without pixels that a camera has cut off, among which there is none.
    let sizes = response.elements.filter { $0 != 0 }.map(abs).sorted()
    let overall = max(sizes.isEmpty ? 0 : sizes[sizes.count / 2] / 0.6745, least)
    // Spots count as noise of three deviations, so that they do not hide each other.
    let limit = 9 * overall * overall
    let squares = LocalFilters.mean(response.map { min($0 * $0, limit) }, size: noiseWindow)
    return squares.map { max($0.squareRoot(), 0.5 * overall) }
  }
}

/// The paraboloid through a local maximum and its neighbours.
private struct Top {
  /// To its highest point.
  let offset: (row: Float, column: Float)
  /// Of the lesser to the greater curvature, 1 for a round one; negative for a saddle.
  let roundness: Float

  init(_ values: UnsafeBufferPointer<Float>, at i: Int, columns: Int) {
    let vertical = values[i - columns] - 2 * values[i] + values[i + columns]
    let horizontal = values[i - 1] - 2 * values[i] + values[i + 1]
    let diagonal =
      (values[i - columns - 1] + values[i + columns + 1] - values[i - columns + 1]
        - values[i + columns - 1]) / 4
    func step(_ before: Float, _ after: Float, _ curvature: Float) -> Float {
      curvature < 0 ? min(max((before - after) / (2 * curvature), -0.5), 0.5) : 0
    }
    offset = (
      step(values[i - columns], values[i + columns], vertical),
      step(values[i - 1], values[i + 1], horizontal)
    )
    let mean = (vertical + horizontal) / 2
    let difference = (vertical - horizontal) / 2
    let spread = (difference * difference + diagonal * diagonal).squareRoot()
    roundness = mean < 0 ? (mean + spread) / (mean - spread) : 0
  }
}

import Arrays
import ImageAlgorithms

/// Finds bright objects on a darker background in an image that was equalised: background removal, a
/// local threshold, and a watershed of distance and brightness.
///
/// Everything looks at windows of fixed size, so that tiles that overlap agree where they do. Lengths
/// are in pixels of 0.65 µm.
struct ObjectFinder {
  /// Standard deviation of the smoothing before the threshold.
  var smoothing = 1.2
  /// Side of the windows, in cells of the coarse grid, that background and noise are looked for in.
  var backgroundWindow = 25
  /// How far the background rises from its lower envelope in one step, at least.
  var backgroundStep: Float = 0.02
  var backgroundSteps = 10
  /// Side of the window that the height of objects is taken from.
  var heightWindow = 21
  /// Objects are brighter than the background by this share of their height ...
  var heightShare: Float = 0.65
  /// ... by this many standard deviations of the background ...
  var noiseFactor: Float = 3
  /// ... and by this, in any case.
  var leastHeight: Float = 0.05
  /// Standard deviation of the blobs that touching objects are told apart by.
  var blobSize = 4.0
  /// How many pixels of distance a blob of full height is worth.
  var blobWeight: Float = 7
  /// Distances over this count less, so that one large object is not split.
  var farDistance: Float = 14
  /// Standard deviation of the smoothing of that landscape of distance and brightness.
  var landscapeSmoothing = 0.7
  /// How much a top of the landscape rises over the saddle to the next.
  var prominence = 0.65
  /// Pixels; smaller objects are dropped.
  var leastArea = 30
  /// Pixels; larger holes are gaps between objects that touch all around.
  var greatestHole = 150

  /// Labels of the objects in `[row, column]`, values 0...1.
  func objects(in image: NDArray<Float>) throws -> NDArray<Int32> {
    let contrast = try contrast(of: image)
    let height = height(of: contrast)
    let mask = try foreground(contrast, height)
    let landscape = try landscape(image, mask, height)
    let markers = try connectedComponents(
      hMaxima(landscape, h: prominence, radius: 1), connectivity: .eight)
    let labels = try watershed(descending: landscape, markers: markers.labels, mask: mask)
    return try removeSmallObjects(labels, minimumArea: leastArea)
  }

  /// The smoothed image less its background.
  private func contrast(of image: NDArray<Float>) throws -> NDArray<Float> {
    let coarse = CoarseGrid(meanOf: image).values
    let step = max(backgroundStep, noise(of: coarse))
    var background = LocalFilters.mean(
      LocalFilters.minimum(coarse, size: backgroundWindow), size: backgroundWindow)
    for _ in 0..<backgroundSteps {
      background = LocalFilters.mean(
        combined(coarse, background) { min($0, $1 + step) }, size: backgroundWindow)
    }
    let smooth = try gaussian(image, sigma: smoothing)
    return combined(smooth, CoarseGrid(values: background).interpolated(to: image.shape)) {
      $0 - $1
    }
  }

  /// The standard deviation of noise, from the median of second differences.
  ///
  /// - Source: the median absolute deviation is 0.6745 standard deviations of a normal
  ///   distribution, and the differences have the squared weights 16 + 4.
  private func noise(of image: NDArray<Float>) -> Float {
    let (rows, columns) = (image.shape[0], image.shape[1])
    guard rows > 2, columns > 2 else { return 0 }
    var differences: [Float] = []
    differences.reserveCapacity((rows - 2) * (columns - 2))
    image.withUnsafeBuffer { pixels in
      for row in 1..<rows - 1 {
        for i in row * columns + 1..<(row + 1) * columns - 1 {
          differences.append(
            abs(
              4 * pixels[i] - pixels[i - 1] - pixels[i + 1] - pixels[i - columns]
                - pixels[i + columns]))
        }
      }
    }
    differences.sort()
    return differences[differences.count / 2] / 0.6745 / Float(20).squareRoot()
  }

  /// How high the objects around each pixel are.
  private func height(of contrast: NDArray<Float>) -> NDArray<Float> {
    let squares = LocalFilters.mean(contrast.map { max($0, 0) * max($0, 0) }, size: heightWindow)
    let cubes = LocalFilters.mean(
      contrast.map { max($0, 0) * max($0, 0) * max($0, 0) }, size: heightWindow)
    return combined(cubes, squares) { $0 / ($1 + 1e-6) }
  }

  private func foreground(
    _ contrast: NDArray<Float>, _ height: NDArray<Float>
  ) throws -> NDArray<Bool> {
    // Below the background there is noise only: its size tells that of the noise above.
    let below = LocalFilters.mean(
      CoarseGrid(meanOf: contrast.map { $0 < 0 ? $0 * $0 : 0 }).values, size: backgroundWindow)
    let share = LocalFilters.mean(
      CoarseGrid(meanOf: contrast.map { $0 < 0 ? 1 : 0 }).values, size: backgroundWindow)
    let noise = CoarseGrid(values: combined(below, share) { ($0 / max($1, 1e-3)).squareRoot() })
      .interpolated(to: contrast.shape)
    let threshold = combined(noise, height) {
      max(leastHeight, noiseFactor * $0, heightShare * $1)
    }
    let mask = combined(contrast, threshold) { $0 > $1 ? Float(1) : 0 }
    let opened = LocalFilters.maximum(LocalFilters.minimum(mask, size: 3), size: 3)
    return try withoutHoles(opened.map { $0 > 0 })
  }

  /// The mask and every small part of its outside that does not reach the edge.
  private func withoutHoles(_ mask: NDArray<Bool>) throws -> NDArray<Bool> {
    let (rows, columns) = (mask.shape[0], mask.shape[1])
    let outside = try connectedComponents(mask.map { !$0 }, connectivity: .four)
    var areas = [Int](repeating: 0, count: outside.count + 1)
    return outside.labels.withUnsafeBuffer { labels in
      for label in labels { areas[Int(label)] += 1 }
      for column in 0..<columns {
        areas[Int(labels[column])] = .max
        areas[Int(labels[(rows - 1) * columns + column])] = .max
      }
      for row in 0..<rows {
        areas[Int(labels[row * columns])] = .max
        areas[Int(labels[(row + 1) * columns - 1])] = .max
      }
      areas[0] = 0  // the mask itself
      return outside.labels.map { areas[Int($0)] <= greatestHole }
    }
  }

  /// Distance to the edge of the foreground and brightness of blobs in one; far below zero outside.
  private func landscape(
    _ image: NDArray<Float>, _ mask: NDArray<Bool>, _ height: NDArray<Float>
  ) throws -> NDArray<Float> {
    let distance = try Self.distanceToOutside(mask)
    let narrow = try blurred(image, blobSize / 1.6)
    let wide = try blurred(image, blobSize * 1.6)
    let blobs = combined(combined(narrow, wide) { $0 - $1 }, height) { $0 / max($1, 0.05) }
    let relief = combined(distance, blobs) { distance, blob in
      (distance > farDistance ? farDistance + (distance - farDistance) / 4 : distance)
        + blobWeight * blob
    }
    let smooth = try gaussian(relief, sigma: landscapeSmoothing)
    let outside: Float = -99
    return NDArray(uninitialized: image.shape) { output in
      smooth.withUnsafeBuffer { smooth in
        mask.withUnsafeBuffer { mask in
          for i in output.indices { output[i] = mask[i] ? smooth[i] : outside }
        }
      }
    }
  }

  /// A Gaussian; a wide one on the coarse grid, where it takes a hundredth of the time.
  private func blurred(_ image: NDArray<Float>, _ sigma: Double) throws -> NDArray<Float> {
    let pitch = Double(CoarseGrid.pitch)
    guard sigma >= pitch else { return try gaussian(image, sigma: sigma) }
    let coarse = try gaussian(CoarseGrid(meanOf: image).values, sigma: sigma / pitch)
    return CoarseGrid(values: coarse).interpolated(to: image.shape)
  }

  /// How far each pixel is from the outside. The foreground goes on beyond the edge of a tile; where
  /// all of it is foreground, distances are those to a far outside.
  static func distanceToOutside(_ mask: NDArray<Bool>) throws -> NDArray<Float> {
    let far = Float(mask.shape[0] + mask.shape[1])
    return try distanceTransform(mask).map { min($0, far) }
  }
}

/// Pixel by pixel, of two images of one shape.
@inline(__always)
func combined(
  _ a: NDArray<Float>, _ b: NDArray<Float>, _ operation: (Float, Float) -> Float
) -> NDArray<Float> {
  precondition(a.shape == b.shape)
  return NDArray(uninitialized: a.shape) { output in
    a.withUnsafeBuffer { a in
      b.withUnsafeBuffer { b in
        for i in output.indices { output[i] = operation(a[i], b[i]) }
      }
    }
  }
}

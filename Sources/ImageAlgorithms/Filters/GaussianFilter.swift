import Arrays

/// Blurs an image with a Gaussian.
///
/// - Parameters:
///   - image: `[row, column]`; mirrored at its edges with the edge repeated.
///   - sigma: pixels; 0 gives the image back. The kernel reaches 4 sigma.
/// - Returns: the same shape.
/// - Throws: ``ImageError`` when the rank is not 2, or sigma is negative, not finite or over 1000.
/// - Source: scipy 1.10, `ndimage.gaussian_filter` in mode `reflect`, bit by bit: each pass sums in
///   `Double`, rows before columns, and rounds to `Pixel`.
@specialized(where Pixel == Float)
@specialized(where Pixel == Double)
public func gaussian<Pixel: RealPixel>(
  _ image: NDArray<Pixel>, sigma: Double
) throws(ImageError) -> NDArray<Pixel> {
  try requireRank(2, of: image, named: "the image to blur", axes: "row, column")
  guard sigma >= 0, sigma <= 1000 else {
    throw ImageError(.invalidParameter, "sigma must be between 0 and 1000 pixels, not \(sigma)")
  }
  if sigma == 0 || image.count == 0 { return image }
  let weights = gaussianHalfKernel(sigma: sigma)
  let blur = GaussianBlur<Pixel>(
    rowWeights: weights, columnWeights: weights, columns: image.shape[1], edge: .mirrored)
  return NDArray(uninitialized: image.shape) { output in
    image.withUnsafeBuffer { blur.apply(to: $0, into: output) }
  }
}

/// The weights of a sampled Gaussian from its centre outwards: `[0]` is the middle.
///
/// - Parameter sigma: more than 0; the kernel has the radius `Int(4 * sigma + 0.5)`.
public func gaussianHalfKernel(sigma: Double) -> [Double] {
  if let known = referenceHalfKernels[sigma] { return known }
  let radius = Int(4 * sigma + 0.5)
  let factor = -0.5 / (sigma * sigma)
  let half = (0...radius).map { exponential(factor * Double($0 * $0)) }
  let sum = half[0] + 2 * half.dropFirst().reduce(0, +)
  return half.map { $0 / sum }
}

/// The weights segmentation uses, to the last bit as the reference has them: how `exp` rounds, and
/// with it a pixel now and then, differs between mathematical libraries.
private let referenceHalfKernels: [Double: [Double]] = [
  1: [
    0x1.9884a307594fbp-2, 0x1.ef8eb9ad499bap-3, 0x1.ba4b99d1799a9p-5, 0x1.22724cb7eb26ap-8,
    0x1.18a9c4fd536c6p-13,
  ],
  2: [
    0x1.98862a07ae7b4p-3, 0x1.68856f9ab1982p-3, 0x1.ef9093fc46e5ap-4, 0x1.0941b71ceef37p-4,
    0x1.ba4d4125ffd29p-6, 0x1.1f30504e20207p-7, 0x1.227362b5fc92ep-9, 0x1.c98b8c5d0dda5p-12,
    0x1.18aad19e4159bp-14,
  ],
]

/// Both passes of a Gaussian, row by row, so that only a band of the image is in the cache.
struct GaussianBlur<Pixel: RealPixel> {
  enum Edge {
    /// Mirrored with the edge repeated.
    case mirrored
    case zero
  }

  /// Weights across rows and across columns, from the centre outwards.
  let rowWeights: [Double]
  let columnWeights: [Double]
  let columns: Int
  let edge: Edge

  /// Pixels computed at once.
  private static var lanes: Int { 8 }

  @inline(__always)
  func apply(
    to input: UnsafeBufferPointer<Pixel>, into output: UnsafeMutableBufferPointer<Pixel>
  ) {
    let rows = input.count / columns
    let (rowRadius, columnRadius) = (rowWeights.count - 1, columnWeights.count - 1)
    // Rows as Double, each converted once and kept while it is in reach of the current row, and one
    // of zeros.
    let width = (columns + Self.lanes - 1) / Self.lanes * Self.lanes
    let depth = min(2 * rowRadius + 1, rows)
    let band = UnsafeMutablePointer<Double>.allocate(capacity: (depth + 1) * width)
    band.initialize(repeating: 0, count: (depth + 1) * width)
    let zeros = band + depth * width
    let padded = UnsafeMutablePointer<Double>.allocate(capacity: width + 2 * columnRadius)
    padded.initialize(repeating: 0, count: width + 2 * columnRadius)
    let blurred = UnsafeMutablePointer<Double>.allocate(capacity: width)
    let taps = UnsafeMutablePointer<UnsafePointer<Double>>.allocate(
      capacity: 2 * max(rowRadius, columnRadius) + 1)
    defer {
      band.deallocate()
      padded.deallocate()
      blurred.deallocate()
      taps.deallocate()
    }
    var loaded = 0
    for row in 0..<rows {
      while loaded < rows && loaded <= row + rowRadius {
        let target = band + (loaded % depth) * width
        let source = input.baseAddress! + loaded * columns
        for x in 0..<columns { target[x] = source[x].asDouble }
        loaded += 1
      }
      for d in -rowRadius...rowRadius {
        let isOutside = row + d < 0 || row + d >= rows
        taps[d + rowRadius] = UnsafePointer(
          edge == .zero && isOutside
            ? zeros : band + (Boundary.reflectEdge(row + d, rows) % depth) * width)
      }
      sum(taps + rowRadius, rowWeights, width: width, into: blurred)
      // Rounded to Pixel between the passes, as if stored in an image of it.
      let middle = padded + columnRadius
      for x in 0..<columns { middle[x] = Pixel(rounding: blurred[x]).asDouble }
      if edge == .mirrored {
        for d in stride(from: 1, through: columnRadius, by: 1) {
          middle[-d] = middle[Boundary.reflectEdge(-d, columns)]
          middle[columns - 1 + d] = middle[Boundary.reflectEdge(columns - 1 + d, columns)]
        }
      }
      for d in -columnRadius...columnRadius { taps[d + columnRadius] = UnsafePointer(middle + d) }
      sum(taps + columnRadius, columnWeights, width: width, into: blurred)
      let target = output.baseAddress! + row * columns
      for x in 0..<columns { target[x] = Pixel(rounding: blurred[x]) }
    }
  }

  /// The weighted sum of the rows `taps[-radius...radius]`, from the outermost pair inwards.
  @inline(__always)
  private func sum(
    _ taps: UnsafePointer<UnsafePointer<Double>>, _ weights: [Double], width: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    weights.withUnsafeBufferPointer { weights in
      var x = 0
      while x < width {
        var total = load(taps[0], x) * weights[0]
        var d = weights.count - 1
        while d > 0 {
          total += (load(taps[-d], x) + load(taps[d], x)) * weights[d]
          d -= 1
        }
        UnsafeMutableRawPointer(output + x).storeBytes(of: total, as: SIMD8<Double>.self)
        x += Self.lanes
      }
    }
  }

  @inline(__always)
  private func load(_ pointer: UnsafePointer<Double>, _ x: Int) -> SIMD8<Double> {
    UnsafeRawPointer(pointer + x).loadUnaligned(as: SIMD8<Double>.self)
  }
}

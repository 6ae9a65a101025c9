import Arrays

/// Access to single channels of interleaved images.
struct Planes {
  /// Pixels per image.
  let count: Int
  let channels: Int

  /// Lets `body` compute one channel; its pixels are copied out and back if they are interleaved
  /// with those of others.
  func transform<Result>(
    _ input: UnsafeBufferPointer<Float>, _ output: UnsafeMutableBufferPointer<Float>,
    batch: Int, channel: Int,
    _ body: (UnsafeBufferPointer<Float>, UnsafeMutablePointer<Float>) -> Result
  ) -> Result {
    let start = batch * count * channels
    let source = input.baseAddress! + (start + channel)
    let target = output.baseAddress! + (start + channel)
    if channels == 1 { return body(UnsafeBufferPointer(start: source, count: count), target) }
    let plane = UnsafeMutableBufferPointer<Float>.allocate(capacity: 2 * count)
    defer { plane.deallocate() }
    for i in 0..<count { plane[i] = source[i * channels] }
    let computed = plane.baseAddress! + count
    let result = body(UnsafeBufferPointer(rebasing: plane[..<count]), computed)
    for i in 0..<count { target[i * channels] = computed[i] }
    return result
  }
}

extension Planes {
  /// Computes each channel of each image by itself.
  ///
  /// - Parameters:
  ///   - image: `[batch, row, column, channel]`.
  ///   - body: writes as many pixels as it is given, at least one.
  /// - Returns: the same shape.
  /// - Throws: ``ImageError`` when the rank is not 4.
  static func mapping(
    _ image: NDArray<Float>,
    _ body: (UnsafeBufferPointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) throws(ImageError) -> NDArray<Float> {
    try requireRank(4, of: image, named: "the image", axes: "batch, row, column, channel")
    let planes = Planes(count: image.shape[1] * image.shape[2], channels: image.shape[3])
    return NDArray(uninitialized: image.shape) { output in
      image.withUnsafeBuffer { input in
        guard !input.isEmpty else { return }
        for batch in 0..<image.shape[0] {
          for channel in 0..<image.shape[3] {
            planes.transform(input, output, batch: batch, channel: channel, body)
          }
        }
      }
    }
  }
}

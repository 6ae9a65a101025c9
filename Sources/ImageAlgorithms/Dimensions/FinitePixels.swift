import Arrays

/// Refuses images with pixels that are no numbers, which no model can make anything of.
///
/// - Parameter image: `[batch, row, column, channel]`.
/// - Throws: ``ImageError`` that says in which channel of which image the first such pixel is, and how
///   many there are.
public func requireFinitePixels(_ image: NDArray<Float>) throws(ImageError) {
  try requireRank(4, of: image, named: "the image", axes: "batch, row, column, channel")
  let error: ImageError? = image.withUnsafeBuffer { pixels in
    guard let first = pixels.firstIndex(where: { !$0.isFinite }) else { return nil }
    let (size, channels) = (pixels.count / image.shape[0], image.shape[3])
    let (item, channel) = (first / size, first % channels)
    let plane = stride(from: item * size + channel, to: (item + 1) * size, by: channels)
    let count = plane.count { !pixels[$0].isFinite }
    let pixelCount = size / channels
    let frame =
      image.shape[0] == 1 ? "the image" : "frame \(item) of the image, counted from 0,"
    let subject = channels == 1 ? frame : "channel \(channel) of \(frame)"
    return ImageError(
      .notFinite,
      "\(subject) has \(count) of \(pixelCount) pixels that are not a number (NaN), infinite or beyond "
        + "3.4e38; replace them and send the image again")
  }
  if let error { throw error }
}

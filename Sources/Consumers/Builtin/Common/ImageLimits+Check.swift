import Arrays

extension ImageLimits {
  /// Refuses an image that is no image, or too large.
  ///
  /// - Parameter shape: `[batch, row, column, channel]`.
  func check(_ shape: Shape) throws {
    guard shape.count == 4 else {
      throw JobError(
        .invalidInput,
        "the image has shape \(shape.tupleDescription) once its axes are in order; it needs the "
          + "four axes (batch, row, column, channel)")
    }
    guard shape.allSatisfy({ $0 > 0 }) else {
      throw JobError(
        .invalidInput, "the image has no pixels: its shape is \(shape.tupleDescription)")
    }
    guard shape[2] <= width, shape[1] <= height else {
      throw JobError(
        .invalidInput,
        "Input image is larger than the maximum supported image size of (\(width), \(height)). "
          + "Got \(shape.tupleDescription); crop it or split it into several files.")
    }
    guard shape[0] <= frames else {
      throw JobError(
        .invalidInput,
        "the image has \(shape[0]) frames; at most \(frames) are allowed; split it into several "
          + "files")
    }
  }
}

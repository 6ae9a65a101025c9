import Arrays
import ImageFiles
import JobQueue

/// What can be said against a job on an image before anything is done for it.
struct ImageJobChecks {
  private let job: Job
  private let queue: String
  private let limits: ImageLimits

  init(_ job: Job, context: ConsumerContext) {
    self.job = job
    queue = context.queue.name
    limits = context.settings.imageLimits
  }

  /// How much smaller the model's pixels are than the image's; 1 without a value.
  ///
  /// - Throws: ``JobError`` when a field of the job cannot be used.
  func checkedScale() throws -> Double {
    try checkInput()
    try checkDimensionOrder()
    try checkResultNames()
    guard let text = job.scale else { return 1 }
    guard let scale = Double(text), limits.scale.contains(scale) else {
      throw invalid(
        "scale \"\(text.forReason)\" is not a number from \(limits.scale.lowerBound.short) to "
          + limits.scale.upperBound.short)
    }
    return scale
  }

  private func checkInput() throws {
    guard !job.inputFileName.isEmpty else {
      throw invalid("the job names no input: input_file_name is empty; upload an image first")
    }
    guard !job.inputFileName.lowercased().hasSuffix(".zip") else {
      throw invalid(
        "Invalid filetype for \"\(queue)\" job: \(job.inputFileName.forReason) is a zip archive; "
          + "send it to the queue \"\(Keys.zipQueue(of: queue))\"")
    }
  }

  /// Other orders than the well-known ones are taken as they are, but each axis has to be there once.
  private func checkDimensionOrder() throws {
    guard let order = job.dimensionOrder else { return }
    let letters = order.uppercased()
    guard letters.allSatisfy("BXYC".contains), Set(letters).count == letters.count,
      letters.contains("X"), letters.contains("Y")
    else {
      throw invalid(
        "dimension_order \"\(order.forReason)\" is not an order of axes; write X and Y, and B "
          + "(batch) and C (channels) if the image has them, once each, such as XY, XYB or CXY")
    }
  }

  /// The longest names the results may get, so that a name that does not do is found out now and not
  /// when all the work is done.
  private func checkResultNames() throws {
    let name = TensorFlowServingConsumer.withoutExtension(job.originalName)
    do {
      try LabelFiles.check(name: "\(name)_batch_\(max(limits.frames - 1, 0))")
    } catch {
      throw ImageFileError(
        error.code, file: job.originalName, error.reason, advice: error.advice)
    }
  }

  private func invalid(_ message: String) -> JobError { JobError(.invalidInput, message) }
}

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

extension Double {
  /// Without a fraction that says nothing: `10`, not `10.0`.
  fileprivate var short: String {
    self == rounded() && abs(self) < 1e15 ? "\(Int(self))" : "\(self)"
  }
}

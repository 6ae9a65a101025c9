import ImageFiles
import JobQueue

/// What can be said against a job's fields before anything is done for it.
extension Job {
  /// Refuses a job without an input, or whose input is not a single image.
  ///
  /// - Parameter queue: that it came from.
  func requireImage(queue: String) throws {
    guard !inputFileName.isEmpty else {
      throw JobError(
        .invalidInput,
        "the job names no input: input_file_name is empty; upload an image first")
    }
    guard !inputFileName.lowercased().hasSuffix(".zip") else {
      throw JobError(
        .invalidInput,
        "Invalid filetype for \"\(queue)\" job: \(inputFileName.forReason) is a zip archive; "
          + "send it to the queue \"\(Keys.zipQueue(of: queue))\"")
    }
  }

  /// Refuses a name that results cannot have, so that it is found out now and not when all the work is
  /// done.
  ///
  /// - Parameter suffix: the longest that is put behind it, but for that of a label image.
  func requireResultName(suffix: String = "") throws {
    let name = TensorFlowServingConsumer.withoutExtension(originalName)
    do {
      try LabelFiles.check(name: name + suffix)
    } catch {
      throw ImageFileError(error.code, file: originalName, error.reason, advice: error.advice)
    }
  }

  /// Refuses an order of axes that is none. Other orders than the well-known ones are taken as they are,
  /// but each axis has to be there once.
  func requireDimensionOrder() throws {
    guard let order = dimensionOrder else { return }
    let letters = order.uppercased()
    guard letters.allSatisfy("BXYC".contains), Set(letters).count == letters.count,
      letters.contains("X"), letters.contains("Y")
    else {
      throw JobError(
        .invalidInput,
        "dimension_order \"\(order.forReason)\" is not an order of axes; write X and Y, and B "
          + "(batch) and C (channels) if the image has them, once each, such as XY, XYB or CXY")
    }
  }

  /// How much smaller the model's pixels are than the image's; nil if the job does not say.
  func scale(in range: ClosedRange<Double>) throws -> Double? {
    guard let text = scale else { return nil }
    guard let scale = Double(text), range.contains(scale) else {
      throw JobError(
        .invalidInput, "scale \"\(text.forReason)\" is not a number from \(range.shortText)")
    }
    return scale
  }
}

extension ClosedRange<Double> {
  /// `0.1 to 10`, without fractions that say nothing.
  var shortText: String {
    func short(_ number: Double) -> String {
      number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }
    return "\(short(lowerBound)) to \(short(upperBound))"
  }
}

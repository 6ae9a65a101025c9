import Arrays

/// How inputs are cut along their first axis.
struct BatchPlan {
  /// Entries of the first axis; nil when the inputs have no such axis in common and stay whole.
  let rows: Int?
  /// Entries in one request.
  let rowsPerCall: Int

  /// - Parameters:
  ///   - maximumBatch: the most entries the server takes, if known.
  ///   - maximumBytes: what the tensors of one request may take; one entry may take more.
  init(_ inputs: [String: AnyNDArray], maximumBatch: Int?, maximumBytes: Int) {
    let extents = Set(inputs.values.map { $0.shape.first })
    guard extents.count == 1, let rows = extents.first ?? nil, rows > 0 else {
      (rows, rowsPerCall) = (nil, 1)
      return
    }
    let bytesPerRow = max(inputs.values.reduce(0) { $0 + $1.byteCount } / rows, 1)
    self.rows = rows
    rowsPerCall = max(1, min(rows, maximumBatch ?? rows, maximumBytes / bytesPerRow))
  }

  /// The parts to send, in order.
  var ranges: [Range<Int>] {
    guard let rows else { return [] }
    return stride(from: 0, to: rows, by: rowsPerCall).map { $0..<min($0 + rowsPerCall, rows) }
  }

  /// The number in TensorFlow Serving's refusal of a batch, such as "Task size 8 is larger than
  /// maximum input batch size 4".
  static func maximumBatch(inRefusal text: String) -> Int? {
    let words = "larger than maximum input batch size "
    guard let start = text.ranges(of: words).first?.upperBound else { return nil }
    return Int(text[start...].prefix { $0.isASCII && $0.isNumber }).flatMap { $0 > 0 ? $0 : nil }
  }
}

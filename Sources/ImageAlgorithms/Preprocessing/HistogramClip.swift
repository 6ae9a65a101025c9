/// The histogram of one block of an image and the grey levels it is mapped to.
enum HistogramClip {
  static let bins = 256
  /// The greatest grey level.
  static let greatest = 16383

  /// Cuts off what is above `limit` in `histogram` and hands it out to the other bins.
  ///
  /// How the rest that cannot be shared evenly is handed out decides single grey levels, so this
  /// follows the reference to the letter.
  static func redistribute(_ histogram: UnsafeMutablePointer<Int32>, above limit: Int32) {
    var excess: Int32 = 0
    for bin in 0..<bins where histogram[bin] > limit {
      excess += histogram[bin] - limit
      histogram[bin] = limit
    }
    let share = excess / Int32(bins)
    let upper = limit - share
    for bin in 0..<bins where histogram[bin] < upper {
      histogram[bin] += share
      excess -= share
    }
    for bin in 0..<bins where histogram[bin] >= upper && histogram[bin] < limit {
      excess -= limit - histogram[bin]
      histogram[bin] = limit
    }
    while excess > 0 {
      let before = excess
      for start in 0..<bins {
        var under: Int32 = 0
        for bin in 0..<bins where histogram[bin] < limit { under += 1 }
        let step = max(1, Int(under / excess))
        for bin in stride(from: start, to: bins, by: step) where histogram[bin] < limit {
          histogram[bin] += 1
          excess -= 1
        }
        if excess <= 0 { return }
      }
      if excess == before { return }
    }
  }

  /// The grey level of each bin: its share of the pixels up to it.
  static func levels(
    of histogram: UnsafePointer<Int32>, pixels: Int, into levels: UnsafeMutablePointer<UInt16>
  ) {
    let scale = Double(greatest) / Double(pixels)
    var sum = 0
    for bin in 0..<bins {
      sum += Int(histogram[bin])
      levels[bin] = UInt16(min(Double(sum) * scale, Double(greatest)))
    }
  }
}

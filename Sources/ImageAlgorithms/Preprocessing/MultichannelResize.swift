/// Resizes an image of several channels: smooths it as much as it shrinks, interpolates linearly with
/// 0 beyond the edges, and keeps the range of the values.
struct MultichannelResize {
  let old: (rows: Int, columns: Int)
  let new: (rows: Int, columns: Int)
  let channels: Int

  init(from old: (rows: Int, columns: Int), to new: (rows: Int, columns: Int), channels: Int) {
    (self.old, self.new, self.channels) = (old, new, channels)
  }

  /// - Parameters:
  ///   - input: `[row, column, channel]`.
  ///   - output: the same with the new size.
  func apply(to input: UnsafeBufferPointer<Float>, into output: UnsafeMutablePointer<Float>) {
    let count = old.rows * old.columns
    let newCount = new.rows * new.columns
    let plane = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    let smooth = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    defer {
      plane.deallocate()
      smooth.deallocate()
    }
    let blur = GaussianBlur<Float>(
      rowWeights: weights(old.rows, new.rows), columnWeights: weights(old.columns, new.columns),
      columns: old.columns, edge: .zero)
    let rowTaps = taps(old.rows, new.rows)
    let columnTaps = taps(old.columns, new.columns)
    for channel in 0..<channels {
      for i in 0..<count { plane[i] = input[i * channels + channel] }
      blur.apply(to: UnsafeBufferPointer(plane), into: smooth)
      for row in 0..<new.rows {
        for column in 0..<new.columns {
          output[(row * new.columns + column) * channels + channel] = interpolated(
            smooth.baseAddress!, rowTaps[row], columnTaps[column])
        }
      }
    }
    keepRange(of: input, in: UnsafeMutableBufferPointer(start: output, count: newCount * channels))
  }

  private func weights(_ old: Int, _ new: Int) -> [Double] {
    let sigma = max(0, (Double(old) / Double(new) - 1) / 2)
    return sigma > 0 ? gaussianHalfKernel(sigma: sigma) : [1]
  }

  /// Neighbours that lie outside are left to ``interpolated(_:_:_:)``.
  private func taps(_ old: Int, _ new: Int) -> [LinearTap] {
    (0..<new).map { index in
      let position = (Double(index) + 0.5) * (Double(old) / Double(new)) - 0.5
      let floor = position.rounded(.down)
      return LinearTap(first: Int(floor), second: Int(floor) + 1, share: position - floor)
    }
  }

  @inline(__always)
  private func interpolated(
    _ plane: UnsafePointer<Float>, _ row: LinearTap, _ column: LinearTap
  ) -> Float {
    @inline(__always) func value(_ r: Int, _ c: Int) -> Double {
      let isInside = r >= 0 && r < old.rows && c >= 0 && c < old.columns
      return isInside ? Double(plane[r * old.columns + c]) : 0
    }
    // The order of these sums and products decides the last bit.
    var sum = value(row.first, column.first) * (1 - row.share) * (1 - column.share)
    sum += value(row.first, column.second) * (1 - row.share) * column.share
    sum += value(row.second, column.first) * row.share * (1 - column.share)
    sum += value(row.second, column.second) * row.share * column.share
    return Float(sum)
  }

  /// Limits new values to the range of the old ones, and to 0 where that is what lies outside.
  private func keepRange(
    of input: UnsafeBufferPointer<Float>, in output: UnsafeMutableBufferPointer<Float>
  ) {
    guard var range = Extent(of: input), let made = Extent(of: UnsafeBufferPointer(output)) else {
      return  // NaN has no range; it is refused by what comes next.
    }
    let isZeroOutside = range.least > 0 || range.greatest < 0
    if isZeroOutside, made.least <= 0, made.greatest >= 0 {
      range.least = min(range.least, 0)
      range.greatest = max(range.greatest, 0)
    }
    for i in output.indices { output[i] = min(max(output[i], range.least), range.greatest) }
  }
}

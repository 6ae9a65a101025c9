/// How much each pixel of a tile counts along one axis where it overlaps its neighbours.
///
/// - Parameters:
///   - size: pixels of the tile.
///   - overlapLeft: pixels shared with the tile before it; 0 if there is none.
///   - overlapRight: pixels shared with the tile after it.
/// - Returns: `size` weights. Those of two tiles add up to a little more than 1 in an overlap.
/// - Source: deepcell-toolbox 0.12.1, `spline_window` with power 2.
public func splineWindow(size: Int, overlapLeft: Int, overlapRight: Int) -> [Double] {
  precondition(overlapLeft >= 0 && overlapRight >= 0 && overlapLeft + overlapRight <= size)
  var window = [Double](repeating: 1, count: size)
  window.replaceSubrange(0..<overlapLeft, with: spline(2 * overlapLeft).prefix(overlapLeft))
  window.replaceSubrange(
    (size - overlapRight)..<size, with: spline(2 * overlapRight).suffix(overlapRight))
  return window
}

/// A bell over an even number of pixels: parabolas that meet at a quarter and at three quarters.
private func spline(_ count: Int) -> [Double] {
  let quarter = count / 4
  let bell = (0..<count).map { index in
    let triangle = Double(2 * min(index, count - 1 - index) + 1) / Double(count)
    let isOuter = index < quarter || index >= count - quarter
    let double = isOuter ? 2 * triangle : 2 * (triangle - 1)
    return isOuter ? double * double / 2 : 1 - double * double / 2
  }
  let peak = bell.max() ?? 1
  return bell.map { $0 / peak }
}

import Arrays

/// The definitions of what a job can name, for the fast versions to be compared with; of one image.
extension Naive {
  /// Labels with fewer pixels become 0.
  static func withoutSmall(_ labels: NDArray<Int32>, _ minimumArea: Int) -> NDArray<Int32> {
    var areas: [Int32: Int] = [:]
    for label in labels.elements { areas[label, default: 0] += 1 }
    return labels.map { areas[$0]! < minimumArea ? 0 : $0 }
  }

  static func pixelwise(
    _ interior: NDArray<Float>, threshold: Float, minimumArea: Int
  ) -> NDArray<Int32> {
    withoutSmall(components(interior.map { $0 > threshold }, steps: four).labels, minimumArea)
  }

  static func interiorEdge(
    edge: NDArray<Float>, interior: NDArray<Float>, minimumArea: Int
  ) -> NDArray<Int32> {
    func neighbours(_ labels: NDArray<Int32>, _ at: Pixel) -> [Int32] {
      four.filter { isInside(at.row + $0.0, at.column + $0.1, labels) }
        .map { labels[at.row + $0.0, at.column + $0.1] }
    }
    func grow(_ labels: inout NDArray<Int32>, anywhere: Bool) {
      let before = labels
      for (row, column) in pixels(before) where before[row, column] == 0 {
        if anywhere || interior[row, column] >= 0.25 {
          labels[row, column] = neighbours(before, (row, column)).max() ?? 0
        }
      }
    }
    func shrink(_ labels: inout NDArray<Int32>) {
      let before = labels
      for (row, column) in pixels(before) {
        if neighbours(before, (row, column)).contains(where: { $0 < before[row, column] }) {
          labels[row, column] = 0
        }
      }
    }
    var seeds = NDArray<Bool>(shape: edge.shape)
    for (row, column) in pixels(edge) {
      seeds[row, column] = interior[row, column] >= 0.25 && edge[row, column] < 0.25
    }
    let large = withoutSmall(components(seeds, steps: four).labels, minimumArea)
    var labels = components(large.map { $0 > 0 }, steps: eight).labels
    for _ in 0..<8 {
      grow(&labels, anywhere: false)
      grow(&labels, anywhere: false)
      shrink(&labels)
    }
    grow(&labels, anywhere: false)
    grow(&labels, anywhere: false)
    for _ in 0..<2 {
      grow(&labels, anywhere: true)
      shrink(&labels)
      shrink(&labels)
    }
    return labels
  }

  /// - Parameter scores: `[row, column, step]`.
  static func distanceBins(
    _ scores: NDArray<Float>, minimumDistance: Int, threshold: Float, minimumArea: Int
  ) -> NDArray<Int32> {
    let (rows, columns, count) = (scores.shape[0], scores.shape[1], scores.shape[2])
    var steps = NDArray<Float>(shape: [rows, columns])
    for (row, column) in pixels(steps) {
      var best = 0
      for step in 1..<count where scores[row, column, step] > scores[row, column, best] {
        best = step
      }
      steps[row, column] = Float(best)
    }
    let mask = steps.map { $0 > 0 }
    let last = scores.channel(count - 1)
    var markers = NDArray<Bool>(shape: mask.shape)
    for peak in peaks(of: last, within: mask, minimumDistance, threshold) {
      markers[peak.row, peak.column] = true
    }
    let flooded = watershed(steps, components(markers, steps: four).labels, mask)
    return withoutSmall(flooded, minimumArea)
  }

  private static func peaks(
    of image: NDArray<Float>, within mask: NDArray<Bool>, _ distance: Int, _ threshold: Float
  ) -> [Pixel] {
    let inside = pixels(mask).filter { mask[$0.row, $0.column] }
    var candidates = inside.filter { pixel in
      inside.allSatisfy {
        abs($0.row - pixel.row) > distance || abs($0.column - pixel.column) > distance
          || image[$0.row, $0.column] <= image[pixel.row, pixel.column]
      }
    }
    if candidates.count == inside.count {
      // Nothing rises above anything; only what is thin counts.
      let cross = [(0, 0)] + four
      let centres = inside.filter { centre in
        cross.allSatisfy { y, x in
          isInside(centre.row + y, centre.column + x, mask)
            && mask[centre.row + y, centre.column + x]
        }
      }
      candidates = inside.filter { pixel in
        !centres.contains { abs($0.row - pixel.row) + abs($0.column - pixel.column) <= 1 }
      }
    }
    var accepted: [Pixel] = []
    for pixel in candidates.sorted(by: { a, b in
      let (first, second) = (image[a.row, a.column], image[b.row, b.column])
      return first != second ? first > second : (a.row, a.column) < (b.row, b.column)
    }) where image[pixel.row, pixel.column] > threshold {
      let isApart = accepted.allSatisfy {
        abs($0.row - pixel.row) >= distance || abs($0.column - pixel.column) >= distance
      }
      if isApart { accepted.append(pixel) }
    }
    return accepted
  }
}

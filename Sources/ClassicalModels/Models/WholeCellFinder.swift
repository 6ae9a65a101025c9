import Arrays
import ImageAlgorithms

/// Finds the cells that nuclei belong to, by a stain of their membranes or of all their insides.
///
/// What is stained, and what it encloses together with a nucleus, is shared out among the nuclei: they
/// grow over what is dark first and meet on the bright lines between them. Lengths are in pixels of
/// 0.5 µm.
struct WholeCellFinder {
  /// Standard deviation of the smoothing before the threshold.
  var smoothing = 1.0
  /// Side of the windows, in cells of the coarse grid, that the background is looked for in.
  var backgroundWindow = 25
  /// Side of the window that the height of the stain is taken from.
  var heightWindow = 25
  /// What is brighter than the background by this share of that height is stained ...
  var heightShare: Float = 0.45
  /// ... if it is so by this, too.
  var leastHeight: Float = 0.06
  /// How far a cell reaches from its nucleus without any stain.
  var leastReach: Float = 1.5
  /// How far a cell reaches from its nucleus at most.
  var greatestReach: Float = 16
  /// What a pixel away from the nucleus counts, next to a membrane of full height.
  var distanceWeight: Float = 0.02
  /// Pixels; larger dark areas are no insides of cells.
  var greatestInside = 900

  /// - Parameters:
  ///   - nuclei: `[row, column]`, 0 is background.
  ///   - stain: the same shape, values 0...1.
  /// - Returns: the same shape; a cell has the label of its nucleus.
  func cells(around nuclei: NDArray<Int32>, in stain: NDArray<Float>) throws -> NDArray<Int32> {
    let smooth = try gaussian(stain, sigma: smoothing)
    let contrast = contrast(of: smooth)
    let height = height(of: contrast)
    let stained = combined(contrast, height) { max($0 - max(leastHeight, heightShare * $1), 0) }
      .map { $0 > 0 }
    let distance = try ObjectFinder.distanceToOutside(nuclei.map { $0 == 0 })
    let mask = combined(try insides(stained, nuclei), distance) { inside, distance in
      distance <= leastReach || inside > 0 && distance <= greatestReach ? Float(1) : 0
    }
    let membrane = combined(contrast, height) { $0 / max($1, leastHeight) }
    let landscape = combined(membrane, distance) { -$0 - distanceWeight * $1 }
    return try watershed(descending: landscape, markers: nuclei, mask: mask.map { $0 > 0 })
  }

  private func contrast(of smooth: NDArray<Float>) -> NDArray<Float> {
    let coarse = CoarseGrid(meanOf: smooth).values
    let background = LocalFilters.mean(
      LocalFilters.minimum(coarse, size: backgroundWindow), size: backgroundWindow)
    return combined(smooth, CoarseGrid(values: background).interpolated(to: smooth.shape)) {
      max($0 - $1, 0)
    }
  }

  /// How bright the stain around each pixel is: the mean in which what is bright counts more.
  private func height(of contrast: NDArray<Float>) -> NDArray<Float> {
    let squares = LocalFilters.mean(contrast.map { $0 * $0 }, size: heightWindow)
    let cubes = LocalFilters.mean(contrast.map { $0 * $0 * $0 }, size: heightWindow)
    return combined(cubes, squares) { $0 / ($1 + 1e-6) }
  }

  /// What is stained, and unstained parts that are enclosed by it, small and around a nucleus: 1, else
  /// 0.
  private func insides(
    _ stained: NDArray<Bool>, _ nuclei: NDArray<Int32>
  ) throws -> NDArray<Float> {
    let gaps = try connectedComponents(stained.map { !$0 }, connectivity: .four)
    var areas = [Int](repeating: 0, count: gaps.count + 1)
    var hasNucleus = [Bool](repeating: false, count: gaps.count + 1)
    gaps.labels.withUnsafeBuffer { gaps in
      nuclei.withUnsafeBuffer { nuclei in
        for i in gaps.indices {
          areas[Int(gaps[i])] += 1
          if nuclei[i] > 0 { hasNucleus[Int(gaps[i])] = true }
        }
      }
    }
    return gaps.labels.map { gap in
      let gap = Int(gap)
      return gap == 0 || hasNucleus[gap] && areas[gap] <= greatestInside ? 1 : 0
    }
  }
}

import Arrays
import ImageAlgorithms

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Seconds the Python service's libraries were measured at, one thread, on another machine of the
/// same kind, by side of the frame.
let python: [String: [Int: Double]] = [
  "CLAHE": [512: 0.008, 1024: 0.032, 2048: 0.176],
  "resize, 2 channels by 0.8": [512: 0.014, 1024: 0.061, 2048: 0.301],
  "untile, 3 channels": [512: 0.007, 1024: 0.014, 2048: 0.150],
  "gaussian, sigma 2": [512: 0.003, 1024: 0.017, 2048: 0.081],
  "h_maxima, radius 10": [512: 0.240, 1024: 1.07, 2048: 8.19],
  "h_maxima, radius 2": [512: 0.092, 1024: 0.43, 2048: 3.12],
  "watershed": [512: 0.015, 1024: 0.088, 2048: 0.650],
  "fill_holes": [512: 0.013, 1024: 0.054, 2048: 0.250],
  "deep_watershed, nuclear": [512: 0.269, 1024: 1.26, 2048: 9.62],
  "deep_watershed, Mesmer": [512: 0.132, 1024: 0.613, 2048: 5.06],
]

/// Words of the command line: sizes, and steps by the beginning of their name; without any, all are run.
let words = CommandLine.arguments.dropFirst()
let sizes = words.compactMap { Int($0) }
let wanted = words.filter { Int($0) == nil }

/// Prints the best of a few runs beside Python's.
func measure(_ name: String, _ size: Int, _ body: () throws -> Void) rethrows {
  guard wanted.isEmpty || wanted.contains(where: { name.hasPrefix($0) }) else { return }
  var seconds = Double.infinity
  for _ in 0..<(size > 1000 ? 5 : 10) {
    let start = processorTime()
    try body()
    seconds = min(seconds, processorTime() - start)
  }
  let reference = python[name]?[size]
  print(
    name.padded(to: 26), String(size).padded(to: 6), milliseconds(seconds).padded(to: 10),
    reference.map { milliseconds($0).padded(to: 10) } ?? "         -",
    reference.map { String(Int($0 / seconds)) + "x" } ?? "-")
}

/// Seconds of processor time this program has used; unlike the time of day it does not count what
/// other programs take away.
func processorTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

func milliseconds(_ seconds: Double) -> String {
  let tenths = Int((seconds * 10_000).rounded())
  return "\(tenths / 10).\(tenths % 10)"
}

extension String {
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}

print(
  "One thread, best run, milliseconds of processor time; Python's were measured elsewhere, see the source."
)
print(
  "step".padded(to: 26), "side".padded(to: 6), "here".padded(to: 10), "Python".padded(to: 10),
  "ratio")
for size in sizes.isEmpty ? [512, 1024, 2048] : sizes {
  let frame = SyntheticFrame(size: size, seed: 7)
  let shape = [1, size, size, 1]
  let image = try frame.image.reshaped(to: shape)
  let maxima = try frame.maxima.reshaped(to: shape)
  let interior = try frame.interior.reshaped(to: shape)
  let smooth = try gaussian(frame.interior, sigma: 1)
  let mask = smooth.map { $0 > 0.01 }
  let tops = try hMaxima(frame.maxima, h: 0.1, radius: 10)
  let markers = try connectedComponents(tops, connectivity: .eight)
  let labels = try watershed(descending: smooth, markers: markers.labels, mask: mask)

  try measure("CLAHE", size) { _ = try histogramNormalization(image) }
  let two = NDArray<Float>(
    shape: [1, size, size, 2], elements: image.elements.flatMap { [$0, $0] })
  try measure("resize, 2 channels by 0.8", size) {
    _ = try resized(two, rows: size * 4 / 5, columns: size * 4 / 5)
  }
  try measure("resize, 1 channel by 0.8", size) {
    _ = try resized(image, rows: size * 4 / 5, columns: size * 4 / 5)
  }
  let tiling = try Tiling(shape: shape, modelRows: 256, modelColumns: 256)
  let tiles = try tiling.tiles(0..<tiling.count, of: image)
  let three = NDArray<Float>(
    shape: tiles.shape.dropLast() + [3], elements: tiles.elements.flatMap { [$0, $0, $0] })
  try measure("tile", size) { _ = try tiling.tiles(0..<tiling.count, of: image) }
  try measure("untile, 3 channels", size) {
    for channel in 0..<3 {
      var untiler = Untiler(tiling)
      try untiler.add(three, channel: channel)
      _ = try untiler.finished()
    }
  }
  try measure("untile, 1 channel", size) {
    var untiler = Untiler(tiling)
    try untiler.add(tiles)
    _ = try untiler.finished()
  }
  try measure("gaussian, sigma 1", size) { _ = try gaussian(frame.interior, sigma: 1) }
  try measure("gaussian, sigma 2", size) { _ = try gaussian(frame.interior, sigma: 2) }
  try measure("h_maxima, radius 10", size) { _ = try hMaxima(frame.maxima, h: 0.1, radius: 10) }
  try measure("h_maxima, radius 2", size) { _ = try hMaxima(frame.maxima, h: 0.075, radius: 2) }
  try measure("components", size) { _ = try connectedComponents(tops, connectivity: .eight) }
  try measure("watershed", size) {
    _ = try watershed(descending: smooth, markers: markers.labels, mask: mask)
  }
  try measure("fill_holes", size) { _ = try fillHoles(labels, maximumArea: 15) }
  try measure("distance transform", size) { _ = try distanceTransform(mask) }
  try measure("local maxima", size) { _ = try localMaxima(frame.maxima, threshold: 0.5) }
  // What is hard on floods: wide plateaus, and noise without any shape.
  let levels = frame.maxima.map { ($0 * 10).rounded() / 10 }
  let saturated = smooth.map { min($0 * 2, 1) }
  try measure("h_maxima, 10 levels", size) { _ = try hMaxima(levels, h: 0.1, radius: 10) }
  try measure("h_maxima, noise", size) { _ = try hMaxima(frame.noise, h: 0.1, radius: 2) }
  try measure("h_maxima, 4 levels noise", size) {
    _ = try hMaxima(frame.noise.map { ($0 * 3).rounded() / 3 }, h: 0.1, radius: 2)
  }
  try measure("watershed, saturated", size) {
    _ = try watershed(descending: saturated, markers: markers.labels, mask: mask)
  }
  try measure("deep_watershed, nuclear", size) {
    _ = try deepWatershed(maxima: maxima, interior: interior, parameters: .nuclear)
  }
  try measure("deep_watershed, Mesmer", size) {
    _ = try deepWatershed(maxima: maxima, interior: interior, parameters: .mesmerWholeCell)
  }
  // What older jobs name.
  let classes = frame.classes
  let bins = frame.distanceBins
  try measure("pixelwise", size) { _ = try pixelwiseSegmentation(classes) }
  try measure("mibi", size) { _ = try interiorEdgeSegmentation(classes) }
  try measure("distance bins", size) { _ = try distanceBinWatershed(bins) }
  try measure("percentile threshold", size) { _ = try percentileThreshold(image) }
  let pieces = try Tiling(shape: shape, cuts: 4, fieldSize: 61)
  let answers = try pieces.tiles(0..<pieces.count, of: image)
  try measure("cut into 4 x 4 pieces", size) { _ = try pieces.tiles(0..<pieces.count, of: image) }
  try measure("join 4 x 4 pieces", size) {
    var untiler = Untiler(pieces)
    try untiler.add(answers)
    _ = try untiler.finished()
  }
  try measure("untile, 3 channels at once", size) {
    var untiler = Untiler(tiling, channels: 3)
    try untiler.add(three)
    _ = try untiler.finished()
  }
  print("  (\(markers.count) markers)")
}

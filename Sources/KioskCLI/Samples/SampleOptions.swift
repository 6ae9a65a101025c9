import ArgumentParser

/// What a synthetic image is to be like.
struct SampleOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Folder for the files; made if missing.", valueName: "folder"),
    completion: .directory)
  var output = "."

  @Option(help: ArgumentHelp("Another number gives another sample.", valueName: "number"))
  var seed = 0

  @Option(
    help: ArgumentHelp(
      "Pixels along each side. Default: 512; 256 for a movie and a plate.", valueName: "pixels"))
  var size: Int?

  @Option(
    help: ArgumentHelp(
      "Nuclei, cells or spots at most, in the first frame of a movie and in each image of a plate. "
        + "Default: 150 nuclei, 40 in a movie or an image of a plate, 300 spots, and as many cells as find room.",
      valueName: "number"))
  var count: Int?

  @Option(help: ArgumentHelp("Frames of a movie. Default: 20.", valueName: "number"))
  var frames: Int?

  @Flag(
    help:
      "Put spots into cells, with nuclei and membranes in further channels, as polaris jobs take them."
  )
  var cells = false

  private static let sizes = 64...4096
  private static let counts = 1...50_000
  private static let frameCounts = 1...1000
  /// In all frames together.
  private static let maximumPixels = 1 << 26

  func check(for kind: SampleKind) throws {
    func require(_ condition: Bool, _ message: String) throws {
      if !condition { throw ValidationError(message) }
    }
    func require(_ value: Int?, _ range: ClosedRange<Int>, _ option: String) throws {
      try require(
        value.map(range.contains) ?? true,
        "\(option) must be \(range.lowerBound) to \(range.upperBound)")
    }
    try require(!output.isEmpty, "--output is the name of a folder")
    try require(size, Self.sizes, "--size")
    try require(count, Self.counts, "--count")
    try require(frames, Self.frameCounts, "--frames")
    try require(kind == .movie || frames == nil, "--frames is for a movie")
    try require(kind == .spots || !cells, "--cells is for spots")
    let side = size ?? kind.defaultSize
    try require(
      side * side * (frames ?? kind.imageCount) <= Self.maximumPixels,
      "these are more than \(Self.maximumPixels) pixels; make fewer or smaller frames")
  }
}

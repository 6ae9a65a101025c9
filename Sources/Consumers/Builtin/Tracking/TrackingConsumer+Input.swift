import Arrays
import FoundationEssentials
import ImageFiles

/// Movies as they come.
extension TrackingConsumer {
  /// The frames of a TIFF stack: `[frame, row, column, 1]`.
  func readStack(_ file: URL) throws -> NDArray<Float> {
    let name = file.lastPathComponent.forReason
    let image = try decodeImage(file)
    guard image.otherPages == 0 else {
      throw JobError(
        .invalidInput,
        "\(name) has \(image.otherPages) pages of another size or type than its first; the frames of a "
          + "movie must be alike")
    }
    let shape = image.pixels.shape
    try Self.require(frames: shape.count == 2 ? 1 : shape.first ?? 0, of: name)
    guard shape.count == 3 else {
      throw JobError(
        .invalidInput,
        "\(name) has the shape \(shape.tupleDescription), which is not 3 dimensions; tracking takes "
          + "movies of one channel with the axes (time, row, column)")
    }
    try context.settings.imageLimits.check(shape + [1])
    return image.pixels.asFloat.expandingDimensions(at: 3)
  }

  /// The movie of a track file.
  func readTrackFile(_ file: URL) throws -> Movie {
    let name = file.lastPathComponent.forReason
    let track = try TrackFile.read(
      contentsOf: file.path, name: file.lastPathComponent, limits: decodingLimits)
    let raw = try Self.movie(track.raw, member: "raw.npy", of: name)
    let tracked = try Self.movie(track.tracked, member: "tracked.npy", of: name)
    try context.settings.imageLimits.check(raw.shape)
    try Self.require(frames: raw.shape[0], of: name)
    guard raw.shape[..<3] == tracked.shape[..<3], tracked.shape[3] == 1 else {
      throw JobError(
        .invalidInput,
        "\(name) holds a movie of shape \(raw.shape.tupleDescription) and labels of shape "
          + "\(tracked.shape.tupleDescription), which do not belong to each other")
    }
    return Movie(raw: raw.asFloat, labels: try Self.labels(tracked, of: name))
  }

  private static func require(frames: Int, of name: String) throws {
    guard frames > 1 else {
      throw JobError(
        .invalidInput, "\(name) has one frame; cells are tracked through movies of two and more")
    }
  }

  /// `[frame, row, column, channel]`, of a file that has one more axis in front as well if it holds one
  /// movie.
  private static func movie(
    _ array: AnyNDArray, member: String, of name: String
  ) throws -> AnyNDArray {
    switch array.rank {
    case 4: return array
    case 5 where array.shape[0] == 1: return try array.reshaped(to: Array(array.shape.dropFirst()))
    case 5:
      throw JobError(
        .invalidInput,
        "\(name) holds \(array.shape[0]) movies; send each as a file of its own, with the ending .trk"
      )
    default:
      throw JobError(
        .invalidInput,
        "\(member) of \(name) has the shape \(array.shape.tupleDescription); it needs the axes (frame, "
          + "row, column, channel)")
    }
  }

  private static func labels(_ array: AnyNDArray, of name: String) throws -> NDArray<Int32> {
    guard !array.dtype.isFloatingPoint, array.dtype != .bool else {
      throw JobError(
        .invalidInput,
        "tracked.npy of \(name) holds \(array.dtype) where labels, whole numbers, are expected; convert "
          + "it with astype('int32')")
    }
    let labels = array.converted(to: Int64.self)
    guard labels.withUnsafeBuffer({ $0.allSatisfy { (0...Int64(Int32.max)).contains($0) } }) else {
      throw JobError(
        .invalidInput,
        "tracked.npy of \(name) holds labels that are negative or over \(Int32.max); number the cells "
          + "from 1")
    }
    return array.converted(to: Int32.self)
  }
}

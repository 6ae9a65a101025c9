import Arrays
import ImageAlgorithms
import Serving

/// An image as Mesmer's model takes it: which of its axes are the channels is found out.
struct MesmerInput {
  /// Nuclei, membranes.
  static let channelCount = 2

  /// The axes behind the frames: `YXC` or `CYX`.
  let order: String
  /// `[batch, ...]`, four axes.
  private let frames: NDArray<Float>
  private let channels: [Int]?
  private let queue: String

  /// - Parameters:
  ///   - pixels: as in the file; axes of length 1 do not count. Two or three axes are one frame, the first
  ///     of four is the frames'.
  ///   - channels: which to take, in order; nil for all.
  ///   - queue: for messages.
  init(_ pixels: NDArray<Float>, channels: [Int]?, queue: String) throws {
    var frames = pixels.squeezed()
    guard frames.count > 0 else {
      throw JobError(
        .invalidInput, "the image has no pixels: its shape is \(pixels.shape.tupleDescription)")
    }
    switch frames.rank {
    case ...2:
      throw JobError(
        .invalidInput,
        "the image of shape \(pixels.shape.tupleDescription) has one channel, but \(queue) jobs need two: "
          + "nuclei and membranes; save both in one file")
    case 3: frames = frames.expandingDimensions(at: 0)
    case 4: break
    default:
      throw JobError(
        .invalidInput,
        "the image has shape \(pixels.shape.tupleDescription); images have rows, columns and channels, "
          + "and stacks frames before them")
    }
    self.frames = frames
    self.channels = channels
    self.queue = queue
    order = detectDimensionOrder(shape: frames.shape, modelRank: 4)
  }

  /// `[batch, row, column, channel]`, nuclei first.
  func image(limits: ImageLimits) throws -> NDArray<Float> {
    let shape = frames.shape
    let isChannelLast = order == "YXC"
    let extents = isChannelLast ? shape : [shape[0], shape[2], shape[3], shape[1]]
    try limits.check(extents)
    guard channels != nil || extents[3] == Self.channelCount else {
      throw JobError(
        .invalidInput,
        "the image of shape \(shape.tupleDescription) has \(extents[3]) channels, but \(queue) jobs need "
          + "two: nuclei and membranes; choose them by their numbers, counted from 0, such as channels "
          + "\"0,1\"")
    }
    return try ModelInputRequirement(
      modelShape: [-1, -1, -1, Self.channelCount], queue: queue, maximumWidth: limits.width,
      maximumHeight: limits.height
    ).validated(frames, channels: channels)
  }
}

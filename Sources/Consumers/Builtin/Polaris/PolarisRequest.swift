import Arrays
import JobQueue

/// What a job asks of the ``PolarisConsumer``.
struct PolarisRequest {
  /// A part of the image, and who is to work on it.
  struct Part {
    let name: String
    /// Nil for that of segmentation jobs.
    let queue: String?
    /// Of the image, in the order in which they are sent.
    let channels: [Int]
    var fields: [String: String] = [:]
  }

  /// First the spots, then cells.
  let parts: [Part]
  /// How much smaller the models' pixels are than the image's.
  let scale: String

  private static let spotQueue = "spot"
  private static let mesmerQueue = "mesmer"
  private static let slots = ["spots", "nuclei", "cytoplasm"]

  /// - Throws: ``JobError`` or an error of a library that names the field that cannot be used.
  init(_ job: Job, context: ConsumerContext) throws {
    let settings = context.settings
    try job.requireImage(queue: context.queue.name)
    try job.requireDimensionOrder()
    try job.requireResultName(suffix: "_batch_\(max(settings.imageLimits.frames - 1, 0))")
    scale = try job.scale(in: settings.imageLimits.scale).map { "\($0)" } ?? settings.polarisScale
    let channels = try Self.channels(job.channels ?? "0,,")
    guard let spots = channels[0] else {
      throw Self.invalid(
        "channels \"\((job.channels ?? "").forReason)\" names no channel of spots; it comes first, "
          + "before those of nuclei and cytoplasm, such as \"0,1,2\"")
    }
    parts =
      [Part(name: "spot", queue: Self.spotQueue, channels: [spots])]
      + (try Self.cells(job, nuclei: channels[1], cytoplasm: channels[2]))
  }

  private static func cells(_ job: Job, nuclei: Int?, cytoplasm: Int?) throws -> [Part] {
    let type = job[Field.segmentationType] ?? "none"
    switch type {
    case "none": return []
    case "tissue":
      guard let nuclei, let cytoplasm else {
        throw invalid(
          "cells in tissue are found in two channels, those of nuclei and of membranes; name them in "
            + "channels behind that of the spots, such as \"0,1,2\"")
      }
      let compartment = job[Field.compartment].map { [Field.compartment: $0] } ?? [:]
      return [
        Part(
          name: "mesmer", queue: mesmerQueue, channels: [nuclei, cytoplasm], fields: compartment)
      ]
    case "cell culture":
      let parts = [("nuclear", nuclei, "0,"), ("cytoplasm", cytoplasm, ",0")].compactMap {
        name, channel, slots in
        channel.map {
          Part(name: name, queue: nil, channels: [$0], fields: [Field.channels: slots])
        }
      }
      guard !parts.isEmpty else {
        throw invalid(
          "cells are found in a channel of nuclei or cytoplasm; name one in channels behind that of "
            + "the spots, such as \"0,1,\"")
      }
      return parts
    default:
      throw invalid(
        "segmentation_type \"\(type.forReason)\" is none of none, tissue, cell culture")
    }
  }

  /// The channel of each slot; nil for those that are empty.
  private static func channels(_ text: String) throws -> [Int?] {
    let entries = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.filter { !$0.isWhitespace } }
    guard entries.dropFirst(slots.count).allSatisfy(\.isEmpty) else {
      throw invalid(
        "channels \"\(text.forReason)\" has more than 3 entries; they stand for spots, nuclei and "
          + "cytoplasm, in this order")
    }
    return try slots.indices.map { slot in
      guard slot < entries.count, !entries[slot].isEmpty else { return nil }
      guard let channel = Int(entries[slot]), channel >= 0 else {
        throw invalid(
          "channels: \"\(String(entries[slot]).forReason)\" is not a channel number; write numbers from "
            + "0 with commas between them, such as \"0,1,2\"")
      }
      return channel
    }
  }

  /// Refuses an image that does not have the channels.
  ///
  /// - Parameter image: `[batch, row, column, channel]`.
  func requireChannels(of image: NDArray<Float>) throws {
    let count = image.shape[3]
    for channel in parts.flatMap(\.channels) where channel >= count {
      throw Self.invalid(
        "Input image has \(count == 1 ? "1 channel" : "\(count) channels") but channel \(channel) was "
          + "selected; channels count from 0")
    }
  }

  private static func invalid(_ message: String) -> JobError { JobError(.invalidInput, message) }
}

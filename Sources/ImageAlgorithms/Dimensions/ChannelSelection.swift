/// One channel of an image and the application that is to process it.
public struct ChannelSelection: Sendable, Hashable {
  /// Position in the job's list: 0 nuclear, 1 cytoplasm, 2 phase.
  public let application: Int
  /// Index into the last axis of the image.
  public let channel: Int

  public init(application: Int, channel: Int) {
    self.application = application
    self.channel = channel
  }

  /// Reads a job's `channels` field: the position of an entry selects the application, its value
  /// the channel, and an empty entry skips the application. `,0` is cytoplasm on channel 0.
  ///
  /// - Parameters:
  ///   - text: the field; empty (or without any entry) means `0,`, nuclear on channel 0.
  ///   - channelCount: channels of the image.
  ///   - applicationCount: applications a list may address.
  /// - Throws: ``ImageError`` naming the entry when one is not a channel of the image or has no
  ///   application, or more are selected than the image has.
  public static func parse(
    _ text: String, channelCount: Int, applicationCount: Int = 3
  ) throws(ImageError) -> [ChannelSelection] {
    var selections: [ChannelSelection] = []
    for (position, entry) in text.split(separator: ",", omittingEmptySubsequences: false)
      .enumerated()
    {
      let entry = entry.filter { !$0.isWhitespace }
      if entry.isEmpty { continue }
      guard let channel = Int(entry), channel >= 0 else {
        throw ImageError(
          .invalidChannels,
          "channels: \"\(entry.prefix(40))\" is not a channel number; write numbers from 0 with commas "
            + "between them, such as \"0,\" or \",1\"")
      }
      guard position < applicationCount else {
        throw ImageError(
          .invalidChannels,
          "channels: \"\(text.prefix(40))\" has more than \(applicationCount) entries; they stand for "
            + "nuclei, cytoplasm and phase contrast, in this order")
      }
      selections.append(ChannelSelection(application: position, channel: channel))
    }
    if selections.isEmpty { selections = [ChannelSelection(application: 0, channel: 0)] }
    let count = channelCount == 1 ? "1 channel" : "\(channelCount) channels"
    guard selections.count <= channelCount else {
      throw ImageError(
        .invalidChannels,
        "Input image has \(count) but \(selections.count) channels were selected "
          + "(channels: \"\(text)\"); select no more than there are")
    }
    if let beyond = selections.first(where: { $0.channel >= channelCount }) {
      throw ImageError(
        .invalidChannels,
        "Input image has \(count) but channel \(beyond.channel) was selected "
          + "(channels: \"\(text)\"); channels count from 0")
    }
    return selections
  }
}

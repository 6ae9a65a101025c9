/// Where the cells of one label image come from.
public struct CellSource: Sendable {
  /// The name of the image.
  public let file: String
  /// Both from 0, as in the names of label images.
  public let frame: Int
  public let channel: Int

  public init(file: String, frame: Int, channel: Int) {
    self.file = file
    self.frame = frame
    self.channel = channel
  }
}

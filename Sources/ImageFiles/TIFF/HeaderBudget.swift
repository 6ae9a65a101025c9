import CTIFF

/// How much reading the directories of a file may take.
///
/// Directories may share what they refer to. A small file of thousands of directories that all have
/// one huge text, or that each claim millions of strips, would keep a processor busy for minutes.
struct HeaderBudget {
  private let handle: TIFFHandle
  private let mostBytes: Int
  /// Each block takes two bytes of the file, for its position and its size.
  private var unusedBlocks: Int

  init(of handle: TIFFHandle) {
    self.handle = handle
    mostBytes = handle.unreadBytes
    unusedBlocks = handle.source.size
  }

  /// Counts the directory just read.
  mutating func count(_ page: TIFFPage) throws(ImageFileError) {
    let blocks = TIFFNumberOfStrips(handle.tiff)
    unusedBlocks -= Int(blocks)
    guard unusedBlocks >= 0, handle.source.bytesRead <= mostBytes else {
      throw ImageFileError(
        .damaged, file: handle.source.name, "has headers that refer to more than the file can hold",
        advice: "save or export it again")
    }
  }
}

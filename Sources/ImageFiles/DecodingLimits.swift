/// What an image may have, checked against its headers before memory is taken.
public struct DecodingLimits: Sendable, Equatable {
  /// Pixels per row.
  public var width: Int
  /// Rows.
  public var height: Int
  /// Two-dimensional planes in all: time points times depths times stored channels.
  public var frames: Int
  /// Samples per pixel.
  public var channels: Int
  /// Bytes of the decoded array.
  public var bytes: Int
  /// How many bytes may come out of each byte of a compressed file.
  public var expansion: Int
  /// Bytes that may come out of a compressed file whatever its size.
  public var freeExpansion: Int

  public init(
    width: Int = 65_536, height: Int = 65_536, frames: Int = 20_000, channels: Int = 256,
    bytes: Int = 8 << 30, expansion: Int = 2_000, freeExpansion: Int = 64 << 20
  ) {
    self.width = width
    self.height = height
    self.frames = frames
    self.channels = channels
    self.bytes = bytes
    self.expansion = expansion
    self.freeExpansion = freeExpansion
  }

  public static let generous = DecodingLimits()

  /// Checks the size of one plane.
  func check(width: Int, height: Int, channels: Int, of file: String) throws(ImageFileError) {
    guard width > 0, height > 0, channels > 0 else {
      throw ImageFileError(.damaged, file: file, "has no pixels (\(width) x \(height))")
    }
    guard width <= self.width, height <= self.height else {
      throw ImageFileError(
        .tooLarge, file: file,
        "is \(width) x \(height) pixels; at most \(self.width) x \(self.height) are allowed",
        advice: "crop it or reduce its size")
    }
    guard channels <= self.channels else {
      throw ImageFileError(
        .tooLarge, file: file,
        "has \(channels) values per pixel; at most \(self.channels) are allowed")
    }
  }

  func check(frames: Int, of file: String) throws(ImageFileError) {
    guard frames <= self.frames else { throw tooManyFrames("\(frames)", file) }
  }

  func tooManyFrames(_ count: String, _ file: String) -> ImageFileError {
    ImageFileError(
      .tooLarge, file: file, "has \(count) frames; at most \(frames) are allowed",
      advice: "split it into several files")
  }

  /// Bytes that may be read of a file of `size` in all. Parts may be read several times, but not so
  /// often that a small file keeps a processor busy for long.
  func mostBytesRead(of size: Int) -> Int { max(freeExpansion, size.addingSaturating(size)) }

  /// Checks the bytes of one compressed block, which is unpacked beside the array.
  func check(block: Int, of file: String) throws(ImageFileError) {
    let allowed = max(bytes, freeExpansion)
    guard block <= allowed else {
      throw ImageFileError(
        .tooLarge, file: file,
        "is stored in tiles of \(block.asByteCount); at most \(allowed.asByteCount) are allowed",
        advice: "save it again in smaller tiles")
    }
  }

  /// Checks what the array and its decoding take.
  ///
  /// - Parameters:
  ///   - decoded: bytes of the array.
  ///   - unpacked: bytes the file's compressed blocks claim to hold, padding included.
  ///   - stored: bytes of the file.
  func check(decoded: Int, unpacked: Int, stored: Int, of file: String) throws(ImageFileError) {
    guard decoded <= bytes else {
      throw ImageFileError(
        .tooLarge, file: file,
        "takes \(decoded.asByteCount) in memory; at most \(bytes.asByteCount) are allowed",
        advice: "split it into several files")
    }
    let (product, overflow) = stored.multipliedReportingOverflow(by: expansion)
    guard unpacked <= max(freeExpansion, overflow ? .max : product) else {
      throw ImageFileError(
        .damaged, file: file,
        "claims to hold \(unpacked.asByteCount) but has only \(stored.asByteCount)",
        advice: "it is cut off or was not written correctly; save it again")
    }
  }
}

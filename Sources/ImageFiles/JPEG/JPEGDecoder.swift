import Arrays
import CJPEG

/// Reads JPEG files.
enum JPEGDecoder {
  static func recognizes(_ start: [UInt8]) -> Bool { start.starts(with: [0xFF, 0xD8, 0xFF]) }

  /// The image as `(row, column, channel)`: grey, RGB or CMYK. EXIF orientation is ignored.
  ///
  /// - Source: Pillow 10.4: CMYK is taken to be inverted, as Adobe's programs write it.
  static func decode(_ source: ByteSource, limits: DecodingLimits) throws(ImageFileError)
    -> DecodedImage
  {
    if let bytes = source.inMemory { return try decode(bytes, of: source, limits) }
    let storage = ArrayStorage(byteCount: source.size)
    defer { withExtendedLifetime(storage) {} }
    try source.readAll(into: storage.bytes, at: 0)
    return try decode(UnsafeRawBufferPointer(storage.bytes), of: source, limits)
  }

  private static func decode(
    _ bytes: UnsafeRawBufferPointer, of source: ByteSource, _ limits: DecodingLimits
  ) throws(ImageFileError) -> DecodedImage {
    let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    guard let jpeg = tfs_jpeg_open(start, bytes.count) else {
      throw ImageFileError(.unreadable, file: source.name, "cannot be decoded: out of memory")
    }
    defer { tfs_jpeg_close(jpeg) }
    guard tfs_jpeg_read_header(jpeg) else { throw failure(jpeg, source) }

    let width = Int(jpeg.pointee.width)
    let height = Int(jpeg.pointee.height)
    let channels = Int(jpeg.pointee.channels)
    try limits.check(width: width, height: height, channels: channels, of: source.name)
    guard channels == 1 || channels == 3 || channels == 4 else {
      throw ImageFileError(
        .unsupported, file: source.name,
        "is a JPEG image of \(channels) colours, which is not supported",
        advice: "convert it to grey or RGB")
    }
    let byteCount = [width, height, channels].checkedElementCount ?? .max
    try limits.check(
      decoded: byteCount, unpacked: byteCount, stored: source.size, of: source.name)

    let pixels = try AnyNDArray(dtype: .uint8, uninitialized: [height, width, channels]) {
      (memory) throws(ImageFileError) in
      let target = memory.assumingMemoryBound(to: UInt8.self)
      guard tfs_jpeg_read_pixels(jpeg, target.baseAddress, width * channels) else {
        throw failure(jpeg, source)
      }
      if channels == 4 { for i in target.indices { target[i] = ~target[i] } }
    }
    return DecodedImage(pixels: pixels, format: .jpeg, axes: "YXS")
  }

  private static func failure(_ jpeg: UnsafeMutablePointer<tfs_jpeg>, _ source: ByteSource)
    -> ImageFileError
  {
    ImageFileError(
      .damaged, file: source.name,
      "is a damaged JPEG image (\(String(cString: tfs_jpeg_message(jpeg)).forDisplay))",
      advice: "save or export it again")
  }
}

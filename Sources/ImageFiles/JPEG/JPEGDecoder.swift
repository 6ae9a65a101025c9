import Arrays
import CJPEG

/// Reads JPEG files: baseline and progressive, 8 bits a value.
enum JPEGDecoder {
  static func recognizes(_ start: [UInt8]) -> Bool { start.starts(with: [0xFF, 0xD8, 0xFF]) }

  /// The image as `(row, column, channel)`: grey, RGB or CMYK. EXIF orientation is ignored, and so are
  /// further pictures behind the first.
  ///
  /// - Source: Pillow 10.4: CMYK is taken to be inverted, as Adobe's programs write it.
  static func decode(_ source: ByteSource, limits: DecodingLimits) throws(ImageFileError)
    -> DecodedImage
  {
    source.position = 0
    let context = Unmanaged.passUnretained(source).toOpaque()
    guard let jpeg = tfs_jpeg_open(readCallback, goesOnCallback, context) else {
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
    // Coefficients come in blocks of 8 x 8, of up to 4 x 4 of which a unit is made.
    let coefficients =
      jpeg.pointee.has_scans
      ? [(width + 31) / 32 * 32, (height + 31) / 32 * 32, channels, 2].checkedElementCount ?? .max
      : 0
    try limits.check(
      decoded: byteCount.addingSaturating(coefficients), unpacked: byteCount, stored: source.size,
      of: source.name)

    let pixels = try AnyNDArray(dtype: .uint8, uninitialized: [height, width, channels]) {
      (memory) throws(ImageFileError) in
      let target = memory.assumingMemoryBound(to: UInt8.self)
      guard
        tfs_jpeg_read_pixels(
          jpeg, target.baseAddress, width * channels, coefficients.addingSaturating(16 << 20))
      else { throw failure(jpeg, source) }
      if channels == 4 { for i in target.indices { target[i] = ~target[i] } }
    }
    return DecodedImage(pixels: pixels, format: .jpeg, axes: "YXS")
  }

  private static func failure(_ jpeg: UnsafeMutablePointer<tfs_jpeg>, _ source: ByteSource)
    -> ImageFileError
  {
    if let cancelled = source.cancellation { return cancelled }
    let message = String(cString: tfs_jpeg_message(jpeg)).forDisplay
    if tfs_jpeg_is_unknown(jpeg) {
      return ImageFileError(
        .unsupported, file: source.name, "is an uncommon kind of JPEG image (\(message))",
        advice: "save it as PNG, TIFF or a usual JPEG image of 8 bits per value")
    }
    return ImageFileError(
      .damaged, file: source.name, "is a damaged JPEG image (\(message))",
      advice: "save or export it again")
  }
}

private let readCallback: tfs_jpeg_read = { context, bytes, count in
  guard let context, let bytes else { return 0 }
  let source = Unmanaged<ByteSource>.fromOpaque(context).takeUnretainedValue()
  return source.readNext(into: UnsafeMutableRawBufferPointer(start: bytes, count: count))
}

private let goesOnCallback: tfs_jpeg_goes_on = { context in
  guard let context else { return false }
  return Unmanaged<ByteSource>.fromOpaque(context).takeUnretainedValue().cancellation == nil
}

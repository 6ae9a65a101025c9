import Arrays
import CPNG

/// Reads PNG files.
enum PNGDecoder {
  static func recognizes(_ start: [UInt8]) -> Bool {
    start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
  }

  /// The image as `(row, column, channel)`.
  ///
  /// All bit depths, with and without interlacing. EXIF orientation is ignored, and so are all but the
  /// first frame of an animation.
  ///
  /// - Source: Pillow 10.4: 16-bit colours lose their low byte, palette images give indices,
  ///   transparency other than an alpha channel is ignored, and 16-bit grey with alpha becomes RGBA.
  static func decode(_ source: ByteSource, limits: DecodingLimits) throws(ImageFileError)
    -> DecodedImage
  {
    source.position = 0
    let context = Unmanaged.passUnretained(source).toOpaque()
    guard let png = tfs_png_open(false, readCallback, context) else {
      throw ImageFileError(.unreadable, file: source.name, "cannot be decoded: out of memory")
    }
    defer { tfs_png_close(png) }
    guard tfs_png_read_header(png, 0x7FFF_FFFF, 0x7FFF_FFFF) else { throw failure(png, source) }

    let width = Int(png.pointee.width)
    let height = Int(png.pointee.height)
    let isGrey = png.pointee.color_type == PNG_COLOR_TYPE_GRAY
    let channels: Int =
      switch png.pointee.color_type {
      case PNG_COLOR_TYPE_GRAY_ALPHA: 2
      case PNG_COLOR_TYPE_RGB: 3
      case PNG_COLOR_TYPE_RGB_ALPHA: 4
      default: 1
      }
    let dtype: DType =
      switch png.pointee.bit_depth {
      case 1 where isGrey: .bool
      case 16 where isGrey: .uint16
      default: .uint8
      }
    try limits.check(width: width, height: height, channels: channels, of: source.name)
    let stride = width * channels * dtype.size
    let bytes = [stride, height].checkedElementCount ?? .max
    try limits.check(decoded: bytes, unpacked: bytes, stored: source.size, of: source.name)

    let pixels = try AnyNDArray(dtype: dtype, uninitialized: [height, width, channels]) {
      (memory) throws(ImageFileError) in
      let start = memory.assumingMemoryBound(to: UInt8.self).baseAddress
      guard tfs_png_read_pixels(png, start, stride) else { throw failure(png, source) }
    }
    let isWideGreyAlpha = channels == 2 && png.pointee.bit_depth == 16
    return DecodedImage(
      pixels: isWideGreyAlpha ? spreadingGrey(pixels) : pixels, format: .png, axes: "YXS")
  }

  private static func failure(_ png: UnsafeMutablePointer<tfs_png>, _ source: ByteSource)
    -> ImageFileError
  {
    source.cancellation
      ?? ImageFileError(
        .damaged, file: source.name,
        "is a damaged PNG image (\(String(cString: tfs_png_message(png)).forDisplay))",
        advice: "save or export it again")
  }

  /// Grey and alpha as red, green, blue and alpha.
  private static func spreadingGrey(_ pixels: AnyNDArray) -> AnyNDArray {
    AnyNDArray(dtype: .uint8, uninitialized: Array(pixels.shape.dropLast()) + [4]) { output in
      pixels.withUnsafeBytes { input in
        for i in 0..<input.count / 2 {
          for channel in 0..<3 { output[4 * i + channel] = input[2 * i] }
          output[4 * i + 3] = input[2 * i + 1]
        }
      }
    }
  }
}

private let readCallback: tfs_png_transfer = { context, bytes, count in
  guard let context, let bytes else { return false }
  let source = Unmanaged<ByteSource>.fromOpaque(context).takeUnretainedValue()
  // Asked for a few kilobytes at a time: often enough to notice that nobody waits any more.
  guard source.cancellation == nil else { return false }
  return source.readNext(into: UnsafeMutableRawBufferPointer(start: bytes, count: count)) == count
}

import Arrays
import CPNG

/// Writes PNG files.
public enum PNGEncoder {
  /// A picture as the bytes of a PNG file.
  ///
  /// - Parameters:
  ///   - pixels: `[row, column]` or `[row, column, channel]` with 1 to 4 channels (grey, grey and
  ///     alpha, RGB, RGBA).
  ///   - name: for messages.
  /// - Throws: ``ImageFileError`` when the array has another shape or no pixels.
  public static func encode(_ pixels: NDArray<UInt8>, name: String) throws(ImageFileError)
    -> [UInt8]
  {
    try encode(AnyNDArray(pixels), name: name)
  }

  /// A 16-bit picture as the bytes of a PNG file; see ``encode(_:name:)-(NDArray<UInt8>,_)``.
  public static func encode(_ pixels: NDArray<UInt16>, name: String) throws(ImageFileError)
    -> [UInt8]
  {
    try encode(AnyNDArray(pixels), name: name)
  }

  private static func encode(_ pixels: AnyNDArray, name: String) throws(ImageFileError) -> [UInt8] {
    let channels = pixels.rank == 3 ? pixels.shape[2] : 1
    guard pixels.rank == 2 || pixels.rank == 3, (1...4).contains(channels), pixels.count > 0,
      let width = UInt32(exactly: pixels.shape[1]), let height = UInt32(exactly: pixels.shape[0]),
      width <= 0x7FFF_FFFF, height <= 0x7FFF_FFFF
    else {
      throw ImageFileError(
        .unsupportedArray, file: name,
        "cannot be a PNG image: its shape is \(pixels.shape.tupleDescription), not "
          + "(rows, columns, 1 to 4 channels)")
    }
    let colorType = [
      PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA,
    ][channels - 1]
    let sink = Sink()
    guard let png = tfs_png_open(true, writeCallback, Unmanaged.passUnretained(sink).toOpaque())
    else { throw ImageFileError(.notWritten, file: name, "cannot be encoded: out of memory") }
    defer { tfs_png_close(png) }
    let isWritten = withExtendedLifetime(sink) {
      pixels.withUnsafeBytes { bytes in
        tfs_png_write(
          png, width, height, Int32(pixels.dtype.size * 8), colorType, 3,
          bytes.assumingMemoryBound(to: UInt8.self).baseAddress,
          Int(width) * channels * pixels.dtype.size)
      }
    }
    guard isWritten else {
      throw ImageFileError(
        .notWritten, file: name, "cannot be encoded: \(String(cString: tfs_png_message(png)))")
    }
    return sink.bytes
  }

  private final class Sink { var bytes: [UInt8] = [] }

  private static let writeCallback: tfs_png_transfer = { context, bytes, count in
    guard let context else { return false }
    let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
    sink.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
    return true
  }
}

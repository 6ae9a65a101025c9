import Arrays

/// Reads image files of the formats in ``ImageFormat``.
///
/// The name decides how the content is seen, as in the Python service: `.tif` and `.tiff` are
/// microscopy stacks with all their pages and axes; anything else is one picture, recognized by
/// its content, as `(row, column, channel)`. NPY arrays have the shape they were saved with.
///
/// All functions block for as long as decoding takes: call them off the cooperative pool.
public enum ImageFile {
  /// Reads an image from a file.
  ///
  /// - Parameters:
  ///   - path: where it is.
  ///   - name: what its sender calls it: its ending chooses the reader, and errors show it.
  ///   - limits: checked against the headers before memory for pixels is taken.
  public static func decode(
    contentsOf path: String, name: String, limits: DecodingLimits = .generous
  ) throws(ImageFileError) -> DecodedImage {
    try decode(try ByteSource(path: path, name: name), limits: limits)
  }

  /// Reads an image from memory; see ``decode(contentsOf:name:limits:)``.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, name: String, limits: DecodingLimits = .generous
  ) throws(ImageFileError) -> DecodedImage {
    try decode(ByteSource(borrowing: bytes, name: name), limits: limits)
  }

  /// Reads an image from memory; see ``decode(contentsOf:name:limits:)``.
  public static func decode(
    _ bytes: [UInt8], name: String, limits: DecodingLimits = .generous
  ) throws(ImageFileError) -> DecodedImage {
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(ImageFileError) in try decode(buffer, name: name, limits: limits) }
    }
    return try result.get()
  }

  private static func decode(_ source: ByteSource, limits: DecodingLimits) throws(ImageFileError)
    -> DecodedImage
  {
    guard source.size > 0 else {
      throw ImageFileError(
        .damaged, file: source.name, "is empty (0 bytes)", advice: "send it again")
    }
    let name = source.name.lowercased()
    if name.hasSuffix(".tif") || name.hasSuffix(".tiff") {
      return try TIFFDecoder.decode(source, limits: limits)
    }
    let start = source.prefix(16)
    if TIFFDecoder.recognizes(start) {
      return try TIFFDecoder.decodePicture(source, limits: limits)
    }
    if PNGDecoder.recognizes(start) { return try PNGDecoder.decode(source, limits: limits) }
    if JPEGDecoder.recognizes(start) { return try JPEGDecoder.decode(source, limits: limits) }
    if NPYDecoder.recognizes(start) { return try NPYDecoder.decode(source, limits: limits) }
    throw unknown(start, expected: "an image that can be read", of: source)
  }

  /// The error for content that is something else than its name says.
  static func unknown(
    _ start: [UInt8], expected: String, of source: ByteSource
  ) -> ImageFileError {
    ImageFileError(
      .unknownFormat, file: source.name,
      "is not \(expected): \(ContentGuess(start).description)",
      advice: "\(ImageFormat.known) files can be read")
  }
}

import Arrays

/// Reads image files of the formats in ``ImageFormat``.
///
/// The name decides how the content is seen, as in the Python service: `.tif` and `.tiff` are
/// microscopy stacks with all their pages and axes; anything else is one picture, recognized by
/// its content, as `(row, column, channel)`. NPY arrays have the shape they were saved with.
///
/// | format | what is read |
/// |---|---|
/// | TIFF | classic and BigTIFF, either byte order, strips and tiles, interleaved and planar samples of 1 to 16, 32 and 64 bits, integers and floats; uncompressed, LZW, deflate, PackBits, JPEG, zstd and LERC (where libtiff has them), predictors; plain stacks and those of tifffile, ImageJ, OME, MetaMorph and Zeiss LSM; of a pyramid the full resolution |
/// | PNG | all bit depths and colours; colours of 16 bits lose their low byte |
/// | JPEG | baseline and progressive, grey, RGB and CMYK |
/// | NPY | versions 1 to 3, Booleans, integers and floats of either byte order, row- or column-major |
///
/// Values are those stored: no palette, inversion of white-is-zero, colour profile or orientation tag
/// is applied. Other formats, and planes that are in other files, end in an error that says what the
/// file seems to be.
///
/// All functions block for as long as decoding takes: call them off the cooperative pool. They end with
/// ``ImageFileError/Code/cancelled`` soon after the task they run in is cancelled.
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
    throw unknown(expected: "an image that can be read", of: source)
  }

  /// The error for content that is something else than its name says.
  static func unknown(expected: String, of source: ByteSource) -> ImageFileError {
    let start = source.prefix(ContentGuess.size)
    // Only `.tif` and `.tiff` decide by name, and then for TIFF alone.
    let isMisnamed =
      PNGDecoder.recognizes(start) || JPEGDecoder.recognizes(start) || NPYDecoder.recognizes(start)
    return ImageFileError(
      .unknownFormat, file: source.name,
      "is not \(expected): \(ContentGuess(start).description)",
      advice: isMisnamed
        ? "give it the ending of its format" : "\(ImageFormat.known) files can be read")
  }
}

import Arrays

/// Writes pictures in colours as TIFF files, for results whose readers expect that format.
public enum PictureTIFF {
  /// A picture as the bytes of a little-endian, uncompressed TIFF file of one strip.
  ///
  /// - Parameter pixels: `[row, column, 3]`, red, green and blue.
  /// - Throws: ``ImageFileError`` when the array has another shape, no pixels, or 4 GiB of them.
  public static func encode(_ pixels: NDArray<UInt8>) throws(ImageFileError) -> [UInt8] {
    guard pixels.rank == 3, pixels.shape[2] == 3, pixels.count > 0, pixels.count < 0xFFFF_0000
    else {
      throw ImageFileError(
        .unsupportedArray, file: "the picture",
        "cannot be a TIFF image: its shape is \(pixels.shape.tupleDescription), not "
          + "(rows, columns, 3)")
    }
    let encoder = TIFFDirectoryEncoder(isBig: false)
    func directory(pixelsAt start: Int) -> [UInt8] {
      encoder.encode(
        [
          (256, .long(pixels.shape[1])),  // ImageWidth
          (257, .long(pixels.shape[0])),  // ImageLength
          (258, .shorts([8, 8, 8])),  // BitsPerSample
          (259, .short(1)),  // Compression: none
          (262, .short(2)),  // PhotometricInterpretation: RGB
          (273, .position(start)),  // StripOffsets
          (277, .short(3)),  // SamplesPerPixel
          (278, .long(pixels.shape[0])),  // RowsPerStrip
          (279, .position(pixels.count)),  // StripByteCounts
          (282, .fraction(1)),  // XResolution
          (283, .fraction(1)),  // YResolution
          (284, .short(1)),  // PlanarConfiguration: the samples of a pixel together
          (296, .short(1)),  // ResolutionUnit: none
          (305, .text("redis-consumer")),  // Software
        ], at: encoder.headerBytes, next: 0)
    }
    // The size of a directory does not depend on the positions in it.
    let start = encoder.headerBytes + directory(pixelsAt: 0).count
    var bytes = encoder.header
    bytes.reserveCapacity(start + pixels.count)
    bytes += directory(pixelsAt: start)
    pixels.withUnsafeBuffer { bytes.append(contentsOf: $0) }
    return bytes
  }
}

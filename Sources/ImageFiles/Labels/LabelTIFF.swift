import Arrays

/// The bytes around the pixels of a label image file.
///
/// Little-endian TIFF, uncompressed `Float`, one strip per page, all pages' pixels in one piece
/// behind the first directory, and the array's shape in the description, so that readers see axes
/// of length 1 too. BigTIFF from 4 GiB on.
///
/// - Source: the files of tifffile 2023.7.10 `imwrite`, except that an extent of 3 or 4 is never
///   taken for colours.
struct LabelTIFF {
  /// What precedes the pixels: header, first directory, description.
  let head: [UInt8]
  /// What follows them: the directories of the other pages.
  let tail: [UInt8]

  /// - Parameter shape: `[..., row, column]`.
  init(shape: Shape, alwaysBig: Bool = false) {
    precondition(shape.count >= 2, "a label image has rows and columns")
    let pageBytes = shape[shape.count - 2] * shape[shape.count - 1] * 4
    let pages = shape.dropLast(2).reduce(1, *)
    // Directories take about 200 bytes a page.
    let isBig = alwaysBig || pages * (pageBytes + 512) + 4096 > Int(UInt32.max)
    let writer = DirectoryWriter(shape: shape, pageBytes: pageBytes, isBig: isBig)
    (head, tail) = writer.encode(pages: pages)
  }
}

/// Writes the directories of one file.
private struct DirectoryWriter {
  let shape: Shape
  let pageBytes: Int
  private let encoder: TIFFDirectoryEncoder

  init(shape: Shape, pageBytes: Int, isBig: Bool) {
    self.shape = shape
    self.pageBytes = pageBytes
    encoder = TIFFDirectoryEncoder(isBig: isBig)
  }

  func encode(pages: Int) -> (head: [UInt8], tail: [UInt8]) {
    // The size of a directory does not depend on the positions in it.
    let headerBytes = encoder.headerBytes
    let draft = directory(at: headerBytes, isFirst: true, pixels: 0, next: 0)
    let start = (headerBytes + draft.count + 15) / 16 * 16
    let end = (start + pages * pageBytes + 7) / 8 * 8

    var head = encoder.header
    head += directory(at: headerBytes, isFirst: true, pixels: start, next: pages > 1 ? end : 0)
    head += Array(repeating: 0, count: start - head.count)

    var tail: [UInt8] = []
    if pages > 1 { tail += Array(repeating: 0, count: end - start - pages * pageBytes) }
    for page in 1..<max(pages, 1) {
      let position = start + pages * pageBytes + tail.count
      let bytes = directory(
        at: position, isFirst: false, pixels: start + page * pageBytes, next: 0)
      tail +=
        page == pages - 1
        ? bytes
        : directory(
          at: position, isFirst: false, pixels: start + page * pageBytes,
          next: position + bytes.count)
    }
    return (head, tail)
  }

  private func directory(at position: Int, isFirst: Bool, pixels: Int, next: Int) -> [UInt8] {
    let description = "{\"shape\": [\(shape.map(String.init).joined(separator: ", "))]}"
    let rows = shape[shape.count - 2]
    var entries: [TIFFDirectoryEncoder.Entry] = [
      (256, .long(shape[shape.count - 1])),  // ImageWidth
      (257, .long(rows)),  // ImageLength
      (258, .short(32)),  // BitsPerSample
      (259, .short(1)),  // Compression: none
      (262, .short(1)),  // PhotometricInterpretation: black is zero
      (273, .position(pixels)),  // StripOffsets
      (277, .short(1)),  // SamplesPerPixel
      (278, .long(rows)),  // RowsPerStrip
      (279, .position(pageBytes)),  // StripByteCounts
      (282, .fraction(1)),  // XResolution
      (283, .fraction(1)),  // YResolution
      (296, .short(1)),  // ResolutionUnit: none
      (339, .short(3)),  // SampleFormat: floating point
    ]
    if isFirst { entries += [(270, .text(description)), (305, .text("redis-consumer"))] }
    return encoder.encode(entries, at: position, next: next)
  }
}

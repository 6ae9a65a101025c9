import CTIFF

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension TIFFHandle {
  /// The headers of all pages, in file order.
  ///
  /// - Throws: ``ImageFileError`` when a directory cannot be read, there are more pages than
  ///   `limits.frames`, or the directories take more reading than a file of this size can need.
  func pages(limits: DecodingLimits) throws(ImageFileError) -> [TIFFPage] {
    var budget = HeaderBudget(of: self)
    var pages = [TIFFPage(of: self)]
    try budget.count(pages[0])
    while TIFFLastDirectory(tiff) == 0 {
      try source.checkCancellation()
      guard pages.count < limits.frames else {
        throw limits.tooManyFrames("more than \(limits.frames)", source.name)
      }
      forgetMessage()
      guard TIFFReadDirectory(tiff) == 1 else {
        throw failure(
          "is damaged or cut off after page \(pages.count): the next page's header is not readable")
      }
      let page = TIFFPage(of: self)
      try budget.count(page)
      pages.append(page)
    }
    return pages
  }

  /// The ImageDescription of the current directory.
  ///
  /// - Throws: ``ImageFileError`` when it is longer than any program writes: what is read from it takes
  ///   several times its size.
  func description() throws(ImageFileError) -> String {
    guard let text = tfs_tiff_text(tiff, UInt32(TIFFTAG_IMAGEDESCRIPTION)) else { return "" }
    let (length, longest) = (strlen(text), 32 << 20)
    guard length <= longest else {
      throw ImageFileError(
        .tooLarge, file: source.name,
        "has a description of \(length.asByteCount); at most \(longest.asByteCount) are allowed",
        advice: "save it again without it")
    }
    return String(cString: text)
  }

  /// The value of a maker's own tag in the current directory.
  ///
  /// - Returns: nil when the directory does not have it; bytes only if it is made of bytes.
  func makersTag(_ tag: UInt32) -> (count: Int, bytes: UnsafeBufferPointer<UInt8>?)? {
    var count: UInt32 = 0
    var bytes: UnsafePointer<UInt8>?
    guard tfs_tiff_makers_tag(tiff, tag, &count, &bytes) else { return nil }
    return (Int(count), bytes.map { UnsafeBufferPointer(start: $0, count: Int(count)) })
  }

  /// Makes a page's directory the current one.
  func select(_ page: TIFFPage) throws(ImageFileError) {
    forgetMessage()
    if TIFFCurrentDirOffset(tiff) != page.offset {
      guard TIFFSetSubDirectory(tiff, page.offset) == 1 else {
        throw failure("has a damaged page header")
      }
    }
    if page.compression == .jpeg && page.photometric == .yCbCr {
      _ = tfs_tiff_decode_jpeg_as_rgb(tiff)
    }
  }

  /// Where the pixels of an uncompressed page lie, if they lie in one piece, for files that keep a
  /// whole stack behind one directory.
  func contiguousPixels(of page: TIFFPage) throws(ImageFileError) -> Int? {
    guard page.compression == .none, page.tile == nil, page.isByteAligned, page.hasHighBitFirst
    else { return nil }
    try select(page)
    let start = TIFFGetStrileOffset(tiff, 0)
    var end = start
    for strip in 0..<TIFFNumberOfStrips(tiff) {
      guard TIFFGetStrileOffset(tiff, strip) == end else { return nil }
      let (next, overflow) = end.addingReportingOverflow(TIFFGetStrileByteCount(tiff, strip))
      if overflow { return nil }
      end = next
    }
    return start > 0 ? Int(exactly: start) : nil
  }

  /// Checks that a page's pixels can be decoded and are laid out as its header says.
  func checkDecodable(_ page: TIFFPage) throws(ImageFileError) {
    func unsupported(_ what: String, _ advice: String) -> ImageFileError {
      ImageFileError(.unsupported, file: source.name, what, advice: advice)
    }
    if case .other = page.compression {
      throw unsupported(
        "uses \(page.compression.name) compression in TIFF, which is not supported",
        "save it uncompressed or with LZW, deflate, PackBits, JPEG or zstd compression")
    }
    if page.compression != .none, TIFFIsCODECConfigured(scheme(of: page)) == 0 {
      throw unsupported(
        "uses \(page.compression.name) compression, which this system's libtiff was built without",
        "save it uncompressed or with LZW or deflate compression")
    }
    guard page.compression != .jpeg || page.bits == 8 else {
      throw unsupported(
        "is JPEG-compressed with \(page.bits) bits per value, which is not supported",
        "save it uncompressed or with LZW or deflate compression")
    }
    guard page.dtype != nil else {
      throw unsupported(
        page.sampleFormat == .complex
          ? "holds complex numbers, which is not supported"
          : "has \(page.bits)-bit samples of a kind that is not supported",
        "convert it to 8, 16 or 32 bits per value")
    }
    guard page.photometric != .yCbCr || page.compression == .jpeg else {
      throw unsupported("stores colours as YCbCr, which is not supported", "convert it to RGB")
    }
    guard page.depth == 1 else {
      throw unsupported(
        "stores volumes in single pages, which is not supported", "save each depth as a page")
    }
    try select(page)
    let rowBits = page.samplesPerPlane * page.bits
    let claimed: (row: UInt64, width: Int)
    if let tile = page.tile {
      guard tile.width > 0, tile.height > 0 else { throw failure("has tiles of no size") }
      claimed = (TIFFTileRowSize64(tiff), tile.width)
    } else {
      guard page.rowsPerStrip > 0 else { throw failure("has strips of no size") }
      claimed = (TIFFScanlineSize64(tiff), page.width)
    }
    guard claimed.row == UInt64((claimed.width * rowBits + 7) / 8) else {
      throw failure("has a contradictory page header")
    }
  }

  var isBigTIFF: Bool { TIFFIsBigTIFF(tiff) != 0 }

  /// Whether the file's numbers are in the other byte order than the machine's.
  var isByteSwapped: Bool { TIFFIsByteSwapped(tiff) != 0 }

  private func scheme(of page: TIFFPage) -> UInt16 {
    tfs_tiff_u16(tiff, UInt32(TIFFTAG_COMPRESSION), 1)
  }

  /// Bytes of one decoded tile, for which memory is taken beside the array; saturates.
  func tileBytes(of page: TIFFPage) -> Int {
    guard let tile = page.tile else { return 0 }
    let rowBytes = (tile.width * page.samplesPerPlane * page.bits + 7) / 8
    return [rowBytes, tile.height].checkedElementCount ?? .max
  }

  /// Bytes that decoding a page produces, the padding of tiles included; saturates.
  func unpackedBytes(of page: TIFFPage) -> Int {
    let rowBytes = (page.width * page.samplesPerPlane * page.bits + 7) / 8
    guard let tile = page.tile else {
      return [rowBytes, page.height, page.planes].checkedElementCount ?? .max
    }
    guard tile.width > 0, tile.height > 0 else { return .max }
    let across = (page.width + tile.width - 1) / tile.width
    let down = (page.height + tile.height - 1) / tile.height
    return [tileBytes(of: page), across, down, page.planes].checkedElementCount ?? .max
  }
}

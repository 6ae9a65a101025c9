import CTIFF

extension TIFFHandle {
  /// The headers of all pages, in file order.
  ///
  /// - Throws: ``ImageFileError`` when a directory cannot be read or there are more pages than
  ///   `limits.frames`.
  func pages(limits: DecodingLimits) throws(ImageFileError) -> [TIFFPage] {
    var pages = [TIFFPage(of: self)]
    while TIFFLastDirectory(tiff) == 0 {
      guard pages.count < limits.frames else {
        throw limits.tooManyFrames("more than \(limits.frames)", source.name)
      }
      forgetMessage()
      guard TIFFReadDirectory(tiff) == 1 else {
        throw failure(
          "is damaged or cut off after page \(pages.count): the next page's header is not readable")
      }
      pages.append(TIFFPage(of: self))
    }
    return pages
  }

  /// The ImageDescription of the current directory.
  var description: String {
    tfs_tiff_text(tiff, UInt32(TIFFTAG_IMAGEDESCRIPTION)).map { String(cString: $0) } ?? ""
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
    switch page.compression {
    case .none, .lzw, .deflate, .packBits, .jpeg, .zstd: break
    case .other(let scheme):
      throw unsupported(
        "uses TIFF compression \(scheme), which is not supported",
        "save it uncompressed or with LZW, deflate, PackBits, JPEG or zstd compression")
    }
    if page.compression != .none, TIFFIsCODECConfigured(scheme(of: page)) == 0 {
      throw unsupported(
        "uses a TIFF compression this system's libtiff was built without",
        "save it uncompressed or with LZW or deflate compression")
    }
    guard page.dtype != nil else {
      throw unsupported(
        "has \(page.bits)-bit samples of a kind that is not supported",
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

  /// Whether the file's numbers are in the other byte order than the machine's.
  var isByteSwapped: Bool { TIFFIsByteSwapped(tiff) != 0 }

  private func scheme(of page: TIFFPage) -> UInt16 {
    tfs_tiff_u16(tiff, UInt32(TIFFTAG_COMPRESSION), 1)
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
    let tileRow = (tile.width * page.samplesPerPlane * page.bits + 7) / 8
    return [tileRow, tile.height, across, down, page.planes].checkedElementCount ?? .max
  }
}

import Arrays

/// Reads TIFF files.
enum TIFFDecoder {
  /// Whether the bytes start as a TIFF or BigTIFF file does.
  static func recognizes(_ start: [UInt8]) -> Bool {
    let marks: [[UInt8]] = [
      [0x49, 0x49, 42, 0], [0x4D, 0x4D, 0, 42], [0x49, 0x49, 43, 0], [0x4D, 0x4D, 0, 43],
    ]
    return marks.contains { start.starts(with: $0) }
  }

  /// The first image of the file, all its pages, in the shape its description tells.
  static func decode(_ source: ByteSource, limits: DecodingLimits) throws(ImageFileError)
    -> DecodedImage
  {
    guard recognizes(source.prefix(4)) else {
      throw ImageFile.unknown(expected: "a TIFF image", of: source)
    }
    let handle = try TIFFHandle(source, limits: limits)
    let pages = try handle.pages(limits: limits)
    let series = try TIFFSeries(of: handle, pages: pages, limits: limits)
    return DecodedImage(
      pixels: try pixels(of: series, in: handle, limits: limits), format: .tiff, axes: series.axes,
      otherPages: max(0, pages.count { !$0.isReducedCopy } - series.planes.count))
  }

  /// The first page alone, as a reader of ordinary pictures sees it: `(row, column, channel)`.
  ///
  /// - Source: Pillow 10.4: 16-bit colours lose their low byte; white-is-zero of up to 8 bits is
  ///   inverted; 2 and 4-bit grey is spread over 0...255. Unlike there, the orientation tag is ignored
  ///   here too.
  static func decodePicture(_ source: ByteSource, limits: DecodingLimits) throws(ImageFileError)
    -> DecodedImage
  {
    let handle = try TIFFHandle(source, limits: limits)
    let page = TIFFPage(of: handle)
    let series = TIFFSeries(
      shape: page.shape, axes: page.axes, key: page, planes: .pages([page]))
    let pixels = try pixels(of: series, in: handle, limits: limits)
    return DecodedImage(pixels: picture(pixels, of: page), format: .tiff, axes: "YXS")
  }

  private static func picture(_ pixels: AnyNDArray, of page: TIFFPage) -> AnyNDArray {
    var pixels = pixels
    if page.isPlanar { pixels = pixels.movingFirstAxisLast }
    if page.samples == 1, let withChannel = try? pixels.reshaped(to: pixels.shape + [1]) {
      pixels = withChannel
    }
    let isInverted = page.photometric == .whiteIsZero
    if let flags = pixels.typed(as: Bool.self), isInverted {
      return AnyNDArray(flags.map { !$0 })
    }
    if let grey = pixels.typed(as: UInt8.self), page.samples == 1, page.photometric != .palette {
      let step = [2: 85, 4: 17][page.bits].map { UInt8($0) } ?? 1
      if step == 1 && !isInverted { return pixels }
      return AnyNDArray(grey.map { isInverted ? ~($0 &* step) : $0 &* step })
    }
    if let wide = pixels.typed(as: UInt16.self), page.samples >= 3 {
      return AnyNDArray(wide.map { UInt8($0 >> 8) })
    }
    return pixels
  }

  /// Takes the memory for the array, once everything that can be checked was, and fills it.
  private static func pixels(
    of series: TIFFSeries, in handle: TIFFHandle, limits: DecodingLimits
  ) throws(ImageFileError) -> AnyNDArray {
    let file = handle.source.name
    let key = series.key
    try limits.check(width: key.width, height: key.height, channels: key.samples, of: file)
    try limits.check(frames: series.planes.count, of: file)
    try handle.checkDecodable(key)
    guard let dtype = key.dtype, let bytes = (series.shape + [dtype.size]).checkedElementCount
    else { throw ImageFileError(.damaged, file: file, "has an impossible shape") }
    let pageBytes = bytes / series.planes.count

    switch series.planes {
    case .contiguous(let offset, _):
      try limits.check(decoded: bytes, unpacked: 0, stored: handle.source.size, of: file)
      return try AnyNDArray(dtype: dtype, uninitialized: series.shape) {
        (memory) throws(ImageFileError) in
        try handle.source.readAll(into: memory, at: offset)
        if handle.isByteSwapped { swapBytes(in: memory, elementSize: dtype.size) }
      }
    case .pages(let pages):
      var unpacked = 0
      for case let page? in pages {
        try limits.check(block: handle.tileBytes(of: page), of: file)
        unpacked = unpacked.addingSaturating(handle.unpackedBytes(of: page))
      }
      try limits.check(
        decoded: bytes, unpacked: unpacked, stored: handle.source.size, of: file)
      return try AnyNDArray(dtype: dtype, uninitialized: series.shape) {
        (memory) throws(ImageFileError) in
        for (i, page) in pages.enumerated() {
          let target = UnsafeMutableRawBufferPointer(
            rebasing: memory[i * pageBytes..<(i + 1) * pageBytes])
          guard let page else {
            target.initializeMemory(as: UInt8.self, repeating: 0)
            continue
          }
          try handle.checkDecodable(page)
          try handle.decode(page, number: i + 1, into: target)
        }
      }
    }
  }
}

extension Int {
  func addingSaturating(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

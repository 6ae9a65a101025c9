import Arrays
import CTIFF

extension TIFFHandle {
  /// Decodes a page into the memory of its part of the array.
  ///
  /// - Parameters:
  ///   - page: one that ``checkDecodable(_:)`` accepted.
  ///   - number: its position in the array, from 1, for messages.
  ///   - pixels: exactly the bytes of the decoded page.
  func decode(
    _ page: TIFFPage, number: Int, into pixels: UnsafeMutableRawBufferPointer
  ) throws(ImageFileError) {
    try select(page)
    // libjpeg leaves the rest of a strip alone when its own header claims less, libdeflate when the
    // strip has more than fits: what was in memory before must not become pixels.
    if page.compression != .none {
      pixels.initializeMemory(as: UInt8.self, repeating: 0)
    }
    if page.tile != nil {
      try decodeTiles(of: page, number, into: pixels)
    } else if page.isByteAligned {
      try decodeStrips(of: page, number, into: pixels)
    } else {
      try decodePackedStrips(of: page, number, into: pixels)
    }
  }

  /// Strips of whole bytes lie in the file as they do in the array: no copy in between.
  private func decodeStrips(
    of page: TIFFPage, _ number: Int, into pixels: UnsafeMutableRawBufferPointer
  ) throws(ImageFileError) {
    let rowBytes = page.width * page.samplesPerPlane * page.bits / 8
    var target = 0
    for (strip, rows) in strips(of: page) {
      prepareToInflate(page, isCut: rows < page.storedRowsPerStrip)
      let count = rows * rowBytes
      try decodeBlock(
        strip, isTile: false, number,
        into: UnsafeMutableRawBufferPointer(rebasing: pixels[target..<target + count]))
      target += count
    }
  }

  /// Some programs fill the last strip up to the height of the others. zlib gives the first part of
  /// what is compressed; libdeflate, which is faster, fails somewhere before the end of that part.
  private func prepareToInflate(_ page: TIFFPage, isCut: Bool) {
    if isCut && page.compression == .deflate { _ = tfs_tiff_decode_by_zlib(tiff) }
  }

  private func decodePackedStrips(
    of page: TIFFPage, _ number: Int, into pixels: UnsafeMutableRawBufferPointer
  ) throws(ImageFileError) {
    let rowSamples = page.width * page.samplesPerPlane
    let rowBytes = (rowSamples * page.bits + 7) / 8
    let unpackedRow = rowSamples * sampleSize(of: page)
    let scratch = ArrayStorage(byteCount: rowBytes * page.rowsPerStrip)
    scratch.bytes.initializeMemory(as: UInt8.self, repeating: 0)
    var target = 0
    for (strip, rows) in strips(of: page) {
      prepareToInflate(page, isCut: rows < page.storedRowsPerStrip)
      let packed = UnsafeMutableRawBufferPointer(rebasing: scratch.bytes[..<(rows * rowBytes)])
      try decodeBlock(strip, isTile: false, number, into: packed)
      for row in 0..<rows {
        unpackBits(
          packed.baseAddress! + row * rowBytes, bits: page.bits, count: rowSamples,
          into: pixels.baseAddress! + target)
        target += unpackedRow
      }
    }
  }

  private func decodeTiles(
    of page: TIFFPage, _ number: Int, into pixels: UnsafeMutableRawBufferPointer
  ) throws(ImageFileError) {
    guard let tile = page.tile else { return }
    let size = sampleSize(of: page)
    let pixelBytes = page.samplesPerPlane * size
    let tileRow = (tile.width * page.samplesPerPlane * page.bits + 7) / 8
    let scratch = ArrayStorage(byteCount: tileRow * tile.height)
    scratch.bytes.initializeMemory(as: UInt8.self, repeating: 0)
    var index: UInt32 = 0
    for plane in 0..<page.planes {
      let planeStart = pixels.baseAddress! + plane * page.height * page.width * pixelBytes
      for top in stride(from: 0, to: page.height, by: tile.height) {
        for left in stride(from: 0, to: page.width, by: tile.width) {
          try decodeBlock(index, isTile: true, number, into: scratch.bytes)
          index += 1
          let columns = min(tile.width, page.width - left)
          for row in 0..<min(tile.height, page.height - top) {
            let source = scratch.bytes.baseAddress! + row * tileRow
            let target = planeStart + ((top + row) * page.width + left) * pixelBytes
            if page.isByteAligned {
              target.copyMemory(from: source, byteCount: columns * pixelBytes)
            } else {
              unpackBits(
                source, bits: page.bits, count: columns * page.samplesPerPlane, into: target)
            }
          }
        }
      }
    }
  }

  /// Decodes one strip or tile; a block without data, which some writers leave for empty areas, is
  /// zero.
  private func decodeBlock(
    _ index: UInt32, isTile: Bool, _ number: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ImageFileError) {
    try source.checkCancellation()
    let stored = TIFFGetStrileByteCount(tiff, index)
    if stored == 0, TIFFGetStrileOffset(tiff, index) == 0 {
      buffer.initializeMemory(as: UInt8.self, repeating: 0)
      return
    }
    unreadBytes -= Int(min(stored, UInt64(source.size)))
    guard unreadBytes >= 0 else {
      throw failure("has pages that use the same pixels too often")
    }
    let decoded =
      isTile
      ? TIFFReadEncodedTile(tiff, index, buffer.baseAddress, tmsize_t(buffer.count))
      : TIFFReadEncodedStrip(tiff, index, buffer.baseAddress, tmsize_t(buffer.count))
    guard Int(decoded) == buffer.count else {
      throw failure("is damaged or cut off: the pixels of page \(number) cannot be decoded")
    }
  }

  private func sampleSize(of page: TIFFPage) -> Int { page.dtype?.size ?? 0 }

  /// Index and rows of each strip, plane by plane.
  private func strips(of page: TIFFPage) -> some Sequence<(UInt32, Int)> {
    let perPlane = (page.height + page.rowsPerStrip - 1) / page.rowsPerStrip
    return (0..<perPlane * page.planes).lazy.map { strip in
      let top = strip % perPlane * page.rowsPerStrip
      return (UInt32(strip), min(page.rowsPerStrip, page.height - top))
    }
  }
}

/// Spreads samples of 1 to 15 bits, packed from the highest bit on, into whole elements.
func unpackBits(
  _ packed: UnsafeRawPointer, bits: Int, count: Int, into target: UnsafeMutableRawPointer
) {
  if bits == 1 {
    for i in 0..<count {
      let byte = packed.load(fromByteOffset: i >> 3, as: UInt8.self)
      target.storeBytes(of: byte >> UInt8(7 - i & 7) & 1, toByteOffset: i, as: UInt8.self)
    }
    return
  }
  let mask = UInt32(1) << UInt32(bits) - 1
  var window: UInt32 = 0
  var available = 0
  var next = 0
  for i in 0..<count {
    while available < bits {
      window = window << 8 | UInt32(packed.load(fromByteOffset: next, as: UInt8.self))
      next += 1
      available += 8
    }
    available -= bits
    let value = window >> UInt32(available) & mask
    if bits <= 8 {
      target.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: i, as: UInt8.self)
    } else {
      target.storeBytes(of: UInt16(truncatingIfNeeded: value), toByteOffset: 2 * i, as: UInt16.self)
    }
  }
}

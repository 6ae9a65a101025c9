import Arrays
import CDeflate

/// Writes TIFF files in every layout, independently of the code under test.
struct SampleTIFF {
  enum Compression: Int, CaseIterable, Sendable {
    case none = 1
    case lzw = 5
    case deflate = 8
    case packBits = 32773
  }

  var dtype = DType.uint16
  /// Pages, rows, columns, samples.
  var pages = 1
  var height = 1
  var width = 1
  var samples = 1
  var isBigEndian = false
  var isBigTIFF = false
  var isPlanar = false
  var hasPredictor = false
  var compression = Compression.none
  /// Rows per strip, or a tile's extents.
  var rowsPerStrip: Int?
  var tile: (width: Int, height: Int)?
  /// Directories before their pixels, or behind them.
  var isDirectoryFirst = false

  init(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    func coin() -> Bool { Bool.random(using: &generator) }
    let types: [DType] = DType.allCases.filter { $0 != .bool }
    dtype = types.randomElement(using: &generator) ?? .uint8
    pages = Int.random(in: 1...4, using: &generator)
    height = Int.random(in: 1...40, using: &generator)
    width = Int.random(in: 1...40, using: &generator)
    samples = coin() ? 1 : Int.random(in: 1...5, using: &generator)
    isBigEndian = coin()
    isBigTIFF = coin()
    isPlanar = samples > 1 && coin()
    compression = Compression.allCases.randomElement(using: &generator) ?? .none
    hasPredictor =
      (compression == .lzw || compression == .deflate) && !dtype.isFloatingPoint && coin()
    if coin() {
      tile = (
        16 * Int.random(in: 1...2, using: &generator), 16 * Int.random(in: 1...3, using: &generator)
      )
    } else {
      rowsPerStrip = Int.random(in: 1...height, using: &generator)
    }
    isDirectoryFirst = coin()
  }

  /// What a reader should make of it.
  var shape: Shape {
    let page =
      samples == 1
      ? [height, width] : isPlanar ? [samples, height, width] : [height, width, samples]
    return pages == 1 ? page : [pages] + page
  }

  /// Random pixels in the decoded order and the machine's byte order.
  func pixels(seed: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: seed + 1_000_000)
    let isFlat = Bool.random(using: &generator)
    return (0..<shape.reduce(dtype.size, *)).map { i in
      isFlat ? UInt8(i / 64 & 3) : UInt8.random(in: 0...255, using: &generator)
    }
  }

  func encode(_ pixels: [UInt8]) -> [UInt8] {
    let positionSize = isBigTIFF ? 8 : 4
    var file: [UInt8] = isBigEndian ? [0x4D, 0x4D] : [0x49, 0x49]
    append(isBigTIFF ? 43 : 42, 2, to: &file)
    if isBigTIFF {
      append(8, 2, to: &file)
      append(0, 2, to: &file)
    }
    var link = file.count
    append(0, positionSize, to: &file)
    let pageSize = pixels.count / pages
    for page in 0..<pages {
      let blocks = blocks(of: Array(pixels[page * pageSize..<(page + 1) * pageSize]))
      let directorySize = (isBigTIFF ? 16 : 6) + 16 * (isBigTIFF ? 20 : 12)
      if file.count % 2 == 1 { file.append(0) }
      // The directory is written last in any case, at its place.
      let early = file.count
      if isDirectoryFirst { file += Array(repeating: 0, count: directorySize) }
      let offsets = blocks.map { block in
        defer { file += block }
        return file.count
      }
      if file.count % 2 == 1 { file.append(0) }
      let offsetList = list(offsets, to: &file)
      let countList = list(blocks.map(\.count), to: &file)
      let bits = list(Array(repeating: dtype.size * 8, count: samples), size: 2, to: &file)
      let format = list(
        Array(
          repeating: dtype.isFloatingPoint ? 3 : "\(dtype)".hasPrefix("u") ? 1 : 2, count: samples),
        size: 2, to: &file)
      let start = isDirectoryFirst ? early : file.count
      let (directory, next) = directory(
        at: start,
        [
          (256, 4, 1, width), (257, 4, 1, height), (258, 3, samples, bits),
          (259, 3, 1, compression.rawValue), (262, 3, 1, 1),
          (tile == nil ? 273 : 324, 16, blocks.count, offsetList), (277, 3, 1, samples),
          tile.map { (322, 4, 1, $0.width) } ?? (278, 4, 1, rowsPerStrip ?? height),
          tile.map { (323, 4, 1, $0.height) }, (284, 3, 1, isPlanar ? 2 : 1),
          (tile == nil ? 279 : 325, 16, blocks.count, countList),
          (317, 3, 1, hasPredictor ? 2 : 1), (339, 3, samples, format),
        ].compactMap { $0 })
      if isDirectoryFirst {
        file.replaceSubrange(start..<start + directory.count, with: directory)
      } else {
        file += directory
      }
      var position: [UInt8] = []
      append(start, positionSize, to: &position)
      file.replaceSubrange(link..<link + positionSize, with: position)
      link = next
    }
    return file
  }

  private func append(_ number: Int, _ size: Int, to bytes: inout [UInt8]) {
    for i in 0..<size {
      bytes.append(UInt8(truncatingIfNeeded: number >> (8 * (isBigEndian ? size - 1 - i : i))))
    }
  }

  /// Stores a list's values outside of the directory, unless they fit in: then packs them.
  private func list(_ values: [Int], size: Int? = nil, to file: inout [UInt8]) -> Int {
    let positionSize = isBigTIFF ? 8 : 4
    let size = size ?? positionSize
    var bytes: [UInt8] = []
    for value in values { append(value, size, to: &bytes) }
    guard bytes.count > positionSize else { return -1 - values[0] }
    let start = file.count
    file += bytes
    if file.count % 2 == 1 { file.append(0) }
    return start
  }

  private typealias Tag = (tag: Int, type: Int, count: Int, value: Int)

  /// - Returns: the directory, and where the position of the next one goes.
  private func directory(at start: Int, _ tags: [Tag]) -> ([UInt8], next: Int) {
    let positionSize = isBigTIFF ? 8 : 4
    var bytes: [UInt8] = []
    append(tags.count, isBigTIFF ? 8 : 2, to: &bytes)
    for tag in tags.sorted(by: { $0.tag < $1.tag }) {
      append(tag.tag, 2, to: &bytes)
      append(tag.type == 16 && !isBigTIFF ? 4 : tag.type, 2, to: &bytes)
      append(tag.count, positionSize, to: &bytes)
      let size = tag.type == 3 ? 2 : tag.type == 16 ? positionSize : 4
      var field: [UInt8] = []
      if tag.value < 0 {
        // Lists of equal values, or of one.
        for _ in 0..<tag.count { append(-1 - tag.value, size, to: &field) }
      } else if tag.count * size > positionSize {
        append(tag.value, positionSize, to: &field)
      } else {
        append(tag.value, size, to: &field)
      }
      bytes += field + Array(repeating: 0, count: positionSize - field.count)
    }
    let next = start + bytes.count
    append(0, positionSize, to: &bytes)
    return (bytes, next)
  }
}

extension SampleTIFF {
  /// The compressed strips or tiles of a page.
  fileprivate func blocks(of page: [UInt8]) -> [[UInt8]] {
    let size = dtype.size
    let perPixel = isPlanar ? 1 : samples
    let planes = isPlanar ? samples : 1
    let (blockWidth, blockHeight) = tile ?? (width, rowsPerStrip ?? height)
    var blocks: [[UInt8]] = []
    for plane in 0..<planes {
      for top in stride(from: 0, to: height, by: blockHeight) {
        for left in stride(from: 0, to: width, by: blockWidth) {
          let rows = tile == nil ? min(blockHeight, height - top) : blockHeight
          var block: [UInt8] = []
          for row in top..<top + rows {
            var line: [[UInt8]] = []
            for column in left..<left + blockWidth {
              for sample in 0..<perPixel {
                guard row < height, column < width else {
                  line.append(Array(repeating: 0xAA, count: size))
                  continue
                }
                let element = ((plane * height + row) * width + column) * perPixel + sample
                line.append(Array(page[element * size..<(element + 1) * size]))
              }
            }
            block += encodeLine(line, perPixel)
          }
          blocks.append(compress(block, lineSize: blockWidth * perPixel * size))
        }
      }
    }
    return blocks
  }

  /// Differences to the pixel before, if asked for, in the file's byte order.
  private func encodeLine(_ line: [[UInt8]], _ perPixel: Int) -> [UInt8] {
    func number(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    var result: [UInt8] = []
    for (i, value) in line.enumerated() {
      var bytes = value
      if hasPredictor && i >= perPixel {
        let difference = number(value) &- number(line[i - perPixel])
        bytes = (0..<value.count).map { UInt8(truncatingIfNeeded: difference >> UInt64(8 * $0)) }
      }
      result += isBigEndian ? bytes.reversed() : bytes
    }
    return result
  }

  private func compress(_ bytes: [UInt8], lineSize: Int) -> [UInt8] {
    switch compression {
    case .none: return bytes
    case .deflate:
      let compressor = libdeflate_alloc_compressor(6)
      defer { libdeflate_free_compressor(compressor) }
      let bound = libdeflate_zlib_compress_bound(compressor, bytes.count)
      return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
        count = libdeflate_zlib_compress(compressor, bytes, bytes.count, buffer.baseAddress, bound)
      }
    case .packBits:
      // Literal runs only, line by line.
      return stride(from: 0, to: bytes.count, by: lineSize).flatMap { start in
        stride(from: start, to: start + lineSize, by: 128).flatMap { part -> [UInt8] in
          let run = bytes[part..<min(part + 128, start + lineSize)]
          return [UInt8(run.count - 1)] + run
        }
      }
    case .lzw:
      // Literal codes of 9 bits, with a fresh table before they would need 10.
      var bits: [Bool] = []
      func emit(_ code: Int) { for i in (0..<9).reversed() { bits.append(code >> i & 1 == 1) } }
      for (i, byte) in bytes.enumerated() {
        if i % 200 == 0 { emit(256) }
        emit(Int(byte))
      }
      emit(257)
      bits += Array(repeating: false, count: (8 - bits.count % 8) % 8)
      return stride(from: 0, to: bits.count, by: 8).map { start in
        bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
      }
    }
  }
}

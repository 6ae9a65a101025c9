import Foundation

/// What is corrupted.
enum Format: String, CaseIterable {
  case tiff, bigtiff, png, jpeg, npy, zip

  /// The valid files of a format, from the fixtures.
  ///
  /// - Throws: ``CorruptionFailure`` when there are none.
  func validFiles() throws -> [[UInt8]] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/images/\(self == .zip ? "archives" : "formats")")
    let largest = 1800
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { !$0.hasSuffix(".npy.npy") && ($0.hasSuffix(".npy") == (self == .npy)) }
      .map { Array(try Data(contentsOf: folder.appending(path: $0))) }
      .filter { $0.count <= largest && recognizes($0) }
    guard files.count > 1 else {
      throw CorruptionFailure("there are no \(rawValue) files to corrupt in \(folder.path)")
    }
    return files
  }

  private func recognizes(_ file: [UInt8]) -> Bool {
    switch self {
    case .tiff: file.starts(with: [0x49, 0x49, 42, 0]) || file.starts(with: [0x4D, 0x4D, 0, 42])
    case .bigtiff:
      file.starts(with: [0x49, 0x49, 43, 0]) || file.starts(with: [0x4D, 0x4D, 0, 43])
    case .png: file.starts(with: [0x89, 0x50, 0x4E, 0x47])
    case .jpeg: file.starts(with: [0xFF, 0xD8])
    case .npy: file.starts(with: [0x93, 0x4E, 0x55, 0x4D])
    case .zip: file.starts(with: [0x50, 0x4B])
    }
  }

  /// Where a change reaches further than into a few pixels.
  func headers(of file: [UInt8]) -> [Range<Int>] {
    switch self {
    case .tiff, .bigtiff: [0..<min(16, file.count)] + directories(of: file)
    case .png:
      [8..<min(33, file.count)] + chunks(of: file).map { $0.lowerBound..<$0.lowerBound + 8 }
    case .jpeg: [0..<max(file.count * 2 / 3, 1)]
    case .npy: [0..<min(128, file.count)]
    // The central directory and the record behind it are at the end.
    case .zip: [0..<min(30, file.count), max(file.count - 200, 0)..<file.count]
    }
  }

  private func directories(of file: [UInt8]) -> [Range<Int>] {
    let isBig = self == .bigtiff
    let isLittle = file[0] == 0x49
    func number(_ offset: Int, _ size: Int) -> Int? {
      guard offset >= 0, offset + size <= file.count else { return nil }
      let field = file[offset..<offset + size]
      let bytes: [UInt8] = isLittle ? field.reversed() : Array(field)
      return Int(exactly: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
    let (counter, entry, link) = isBig ? (8, 20, 8) : (2, 12, 4)
    var directories: [Range<Int>] = []
    var next = number(isBig ? 8 : 4, link)
    while let start = next, start > 0, let count = number(start, counter), directories.count < 20 {
      let end = start + counter + count * entry
      directories.append(start..<min(end + link, file.count))
      next = number(end, link)
    }
    return directories
  }

  /// The chunks of a PNG file, length and checksum included.
  private func chunks(of file: [UInt8]) -> [Range<Int>] {
    var chunks: [Range<Int>] = []
    var start = 8
    while start + 12 <= file.count {
      let length = file[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= file.count - start - 12 else { break }
      chunks.append(start..<start + 12 + length)
      start += 12 + length
    }
    return chunks
  }

  /// Makes checksums fit, so that what is behind them is reached.
  func repairChecksums(in file: inout [UInt8]) {
    guard self == .png else { return }
    for chunk in chunks(of: file) {
      let checksum = crc32(file[chunk.lowerBound + 4..<chunk.upperBound - 4])
      for i in 0..<4 {
        file[chunk.upperBound - 4 + i] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * i))
      }
    }
  }
}

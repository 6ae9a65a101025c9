/// The central directory of a zip archive, as its bytes say.
///
/// libzip unpacks; this tells what libzip does not: where members lie, so that those that share
/// bytes are found, and how many there are before memory is taken for them.
struct ZipDirectory {
  struct Record: Equatable {
    /// The name's bytes as stored.
    var name: [UInt8]
    var isEncrypted: Bool
    var method: Int
    var storedSize: Int
    /// CRC-32 of the unpacked file.
    var checksum: Int
    /// Time and date as stored.
    var modified: Int
    /// Position of the member's own header.
    var offset: Int
    /// Unix type and permissions, if the archive has them.
    var mode: Int
  }

  private(set) var records: [Record] = []

  /// - Throws: ``ImageFileError`` when there is no directory, it has more than `limits.members`
  ///   entries, or it contradicts itself.
  init(of source: ByteSource, limits: ArchiveLimits) throws(ImageFileError) {
    let end = try EndRecord(of: source)
    guard end.count <= limits.members else {
      throw ImageFileError(
        .tooLarge, file: source.name,
        "has \(end.count) members; at most \(limits.members) are allowed",
        advice: "split it into several archives")
    }
    // Each entry takes at least 46 bytes. Names have at most 1024, and what comes with them little.
    guard end.offset >= 0, end.size >= end.count * 46, end.size <= end.count * 8192,
      end.offset <= source.size, end.size <= source.size - end.offset
    else { throw ZipDirectory.damaged(source) }
    let bytes = source.bytes(at: end.offset, count: end.size)
    var position = 0
    for _ in 0..<end.count {
      guard let (record, size) = Self.record(bytes[position...]) else {
        throw ZipDirectory.damaged(source)
      }
      records.append(record)
      position += size
    }
    try checkOverlaps(of: source, directory: end.offset)
  }

  static func damaged(_ source: ByteSource) -> ImageFileError {
    ImageFileError(
      .damaged, file: source.name, "is a damaged ZIP archive", advice: "pack it again")
  }

  private static func record(_ bytes: ArraySlice<UInt8>) -> (Record, size: Int)? {
    let fields = LittleEndianBytes(bytes)
    guard fields[0, 4] == 0x0201_4B50, let nameSize = fields[28, 2], let extraSize = fields[30, 2],
      let commentSize = fields[32, 2], let flags = fields[8, 2], let method = fields[10, 2],
      var storedSize = fields[20, 4], let size = fields[24, 4], var offset = fields[42, 4],
      let attributes = fields[38, 4], let checksum = fields[16, 4], let modified = fields[12, 4],
      bytes.count >= 46 + nameSize + extraSize + commentSize
    else { return nil }
    let start = bytes.startIndex + 46
    let extra = bytes[(start + nameSize)..<(start + nameSize + extraSize)]
    if let wide = wideFields(extra) {
      // The 64-bit values stand in this order, each only if its 32-bit field is full.
      var next = size == 0xFFFF_FFFF ? 8 : 0
      if storedSize == 0xFFFF_FFFF {
        guard let value = wide[next, 8] else { return nil }
        storedSize = value
        next += 8
      }
      if offset == 0xFFFF_FFFF {
        guard let value = wide[next, 8] else { return nil }
        offset = value
      }
    }
    let record = Record(
      name: Array(bytes[start..<start + nameSize]), isEncrypted: flags & 1 != 0, method: method,
      storedSize: storedSize, checksum: checksum, modified: modified, offset: offset,
      mode: attributes >> 16)
    return (record, 46 + nameSize + extraSize + commentSize)
  }

  /// The ZIP64 extra field.
  private static func wideFields(_ extra: ArraySlice<UInt8>) -> LittleEndianBytes? {
    var rest = extra
    while rest.count >= 4 {
      let fields = LittleEndianBytes(rest)
      guard let id = fields[0, 2], let size = fields[2, 2], rest.count >= 4 + size else {
        return nil
      }
      let content = rest.dropFirst(4).prefix(size)
      if id == 1 { return LittleEndianBytes(content) }
      rest = rest.dropFirst(4 + size)
    }
    return nil
  }

  /// No two members may share bytes, nor reach into the directory.
  private func checkOverlaps(of source: ByteSource, directory: Int) throws(ImageFileError) {
    var end = 0
    for record in records.sorted(by: { $0.offset < $1.offset }) {
      let header = source.bytes(at: record.offset, count: 30)
      let fields = LittleEndianBytes(header[...])
      guard fields[0, 4] == 0x0403_4B50, let nameSize = fields[26, 2],
        let extraSize = fields[28, 2], record.storedSize >= 0
      else { throw Self.damaged(source) }
      let start = record.offset
      let (size, overflow) = (30 + nameSize + extraSize).addingReportingOverflow(record.storedSize)
      guard start >= end, !overflow, start <= directory, size <= directory - start else {
        throw ImageFileError(
          .unsafeMember, file: source.name,
          "is not a proper ZIP archive: its members overlap each other", advice: "pack it again")
      }
      end = start + size
    }
  }
}

/// The record at the end of an archive that tells where its directory is.
private struct EndRecord {
  let count: Int
  let size: Int
  let offset: Int

  init(of source: ByteSource) throws(ImageFileError) {
    let largestComment = 65_535
    let tailStart = max(source.size - 22 - largestComment, 0)
    let tail = source.bytes(at: tailStart, count: source.size - tailStart)
    let mark: [UInt8] = [0x50, 0x4B, 5, 6]
    guard tail.count >= 22,
      let start = (0...(tail.count - 22)).last(where: { tail[$0...].starts(with: mark) })
    else {
      throw ImageFileError(
        .unknownFormat, file: source.name,
        "is not a ZIP archive: \(ContentGuess(source.prefix(ContentGuess.size)))",
        advice: "if it is one, it is cut off; send it again")
    }
    let fields = LittleEndianBytes(tail[start...])
    guard let disk = fields[4, 2], let disks = fields[6, 2], let count = fields[10, 2],
      let size = fields[12, 4], let offset = fields[16, 4]
    else { throw ZipDirectory.damaged(source) }
    guard disk == 0 || disk == 0xFFFF, disks == 0 || disks == 0xFFFF else {
      throw ImageFileError(
        .unsupported, file: source.name, "is one part of a split ZIP archive",
        advice: "pack it as a single file")
    }
    guard count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF else {
      (self.count, self.size, self.offset) = (count, size, offset)
      return
    }
    // A locator before this record tells where its 64-bit form is.
    let locator = LittleEndianBytes(
      source.bytes(at: tailStart + start - 20, count: 20)[...])
    guard locator[0, 4] == 0x0706_4B50 else {
      (self.count, self.size, self.offset) = (count, size, offset)
      return
    }
    let wide = locator[8, 8].map { LittleEndianBytes(source.bytes(at: $0, count: 56)[...]) }
    guard let wide, wide[0, 4] == 0x0606_4B50, let count = wide[32, 8], let size = wide[40, 8],
      let offset = wide[48, 8]
    else { throw ZipDirectory.damaged(source) }
    (self.count, self.size, self.offset) = (count, size, offset)
  }
}

/// Reads numbers, lowest byte first, at positions that may not exist.
struct LittleEndianBytes {
  private let bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// The number of `size` bytes at `offset`; nil beyond the end, or if it does not fit an `Int`.
  subscript(offset: Int, size: Int) -> Int? {
    guard offset >= 0, offset + size <= bytes.count else { return nil }
    let field = bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + size)]
    return Int(exactly: field.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Writes one zip archive of the members of others.
///
/// Members are copied as they are stored, without being unpacked: one archive after the other can be
/// added and removed, and only the directory of the result is held in memory.
///
/// Not `Sendable`: one thread at a time. All functions block.
public final class ZipMerger {
  private let descriptor: Int32
  private let path: String
  private let name: String
  /// Sizes and positions from here on need fields of 64 bits, counts from `wideCount` on.
  private let wideSize: Int
  private let wideCount: Int
  private var directory: [UInt8] = []
  private var names: Set<String> = []
  private var folders: Set<String> = []
  private var position = 0
  private var isFinished = false

  /// Begins an archive, replacing a file at `path`.
  ///
  /// - Parameter name: of the archive, for messages.
  public convenience init(path: String, name: String) throws(ImageFileError) {
    try self.init(path: path, name: name, wideSize: 0xFFFF_FFFF, wideCount: 0xFFFF)
  }

  init(path: String, name: String, wideSize: Int, wideCount: Int) throws(ImageFileError) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else {
      throw ImageFileError(.notWritten, file: name, "cannot be written: \(errnoText)")
    }
    descriptor = file
    self.path = path
    self.name = name
    self.wideSize = wideSize
    self.wideCount = wideCount
  }

  /// An archive that was not finished is removed.
  deinit {
    close(descriptor)
    if !isFinished { unlink(path) }
  }

  /// Adds all members of an archive, in its order.
  ///
  /// - Parameter place: a folder for those whose names are taken already.
  /// - Throws: ``ImageFileError`` when the archive cannot be read or this one cannot be written. The
  ///   members before the one that failed have been added, and others can still be.
  public func add(_ archive: ZipReader, elsewhere place: String) throws(ImageFileError) {
    let isPlace = (try? FolderFile.fileComponents(of: place)) != nil
    for member in archive.members {
      let start = try archive.dataOffset(of: member)
      let name = freeName(member.name, in: isPlace ? place : "others")
      let headers = self.headers(of: member, as: name)
      try write(headers.own)
      try copy(member.record.storedSize, from: start, of: archive.source)
      directory += headers.central
      names.insert(name)
      folders.formUnion(Self.folders(of: name))
    }
  }

  /// Number of members so far.
  public var count: Int { names.count }

  /// Writes the directory and ends the archive.
  public func finish() throws(ImageFileError) {
    let start = position
    let size = directory.count
    try write(directory)
    var end = LittleEndianWriter()
    if names.count >= wideCount || start >= wideSize || size >= wideSize {
      let wide = position
      end.append(0x0606_4B50, 4)
      end.append(44, 8)
      end.append(45, 2)
      end.append(45, 2)
      end.append(0, 8)
      end.append(names.count, 8)
      end.append(names.count, 8)
      end.append(size, 8)
      end.append(start, 8)
      end.append(0x0706_4B50, 4)
      end.append(0, 4)
      end.append(wide, 8)
      end.append(1, 4)
    }
    end.append(0x0605_4B50, 4)
    end.append(0, 4)
    end.append(names.count >= wideCount ? 0xFFFF : names.count, 2)
    end.append(names.count >= wideCount ? 0xFFFF : names.count, 2)
    end.append(narrow(size), 4)
    end.append(narrow(start), 4)
    end.append(0, 2)
    try write(end.bytes)
    isFinished = true
  }

  /// A name under which the member can be unpacked beside the others.
  private func freeName(_ name: String, in place: String) -> String {
    var free = name
    var number = 1
    while names.contains(free) || folders.contains(free)
      || !Self.folders(of: free).allSatisfy({ !names.contains($0) })
    {
      let folder = number == 1 ? place : "\(place) (\(number))"
      free = "\(folder)/\(name)"
      number += 1
    }
    return free
  }

  private static func folders(of name: String) -> [String] {
    name.indices.filter { name[$0] == "/" }.map { String(name[..<$0]) }
  }

  /// What stands before a member that is written now, and what the directory will say of it.
  private func headers(
    of member: ZipReader.Member, as name: String
  ) -> (own: [UInt8], central: [UInt8]) {
    let (size, stored) = (member.size, member.record.storedSize)
    let isWide = size >= wideSize || stored >= wideSize
    let isFar = position >= wideSize
    var extra = LittleEndianWriter()
    if isWide {
      extra.append(1, 2)
      extra.append(16, 2)
      extra.append(size, 8)
      extra.append(stored, 8)
    }
    var centralExtra = LittleEndianWriter()
    if isWide || isFar {
      centralExtra.append(1, 2)
      centralExtra.append((isWide ? 16 : 0) + (isFar ? 8 : 0), 2)
      if isWide {
        centralExtra.append(size, 8)
        centralExtra.append(stored, 8)
      }
      if isFar { centralExtra.append(position, 8) }
    }
    func fields(extraSize: Int, into header: inout LittleEndianWriter) {
      header.append(isWide || isFar ? 45 : 20, 2)
      header.append(0x0800, 2)  // the name is UTF-8
      header.append(member.record.method, 2)
      header.append(member.record.modified, 4)
      header.append(member.record.checksum, 4)
      header.append(isWide ? 0xFFFF_FFFF : stored, 4)
      header.append(isWide ? 0xFFFF_FFFF : size, 4)
      header.append(name.utf8.count, 2)
      header.append(extraSize, 2)
    }
    var header = LittleEndianWriter()
    header.append(0x0403_4B50, 4)
    fields(extraSize: extra.bytes.count, into: &header)

    var central = LittleEndianWriter()
    central.append(0x0201_4B50, 4)
    central.append(45 | 3 << 8, 2)  // made on Unix
    fields(extraSize: centralExtra.bytes.count, into: &central)
    central.append(0, 2)
    central.append(0, 2)
    central.append(0, 2)
    central.append(0o100644 << 16, 4)
    central.append(isFar ? 0xFFFF_FFFF : position, 4)
    return (
      header.bytes + Array(name.utf8) + extra.bytes,
      central.bytes + Array(name.utf8) + centralExtra.bytes
    )
  }

  private func narrow(_ number: Int) -> Int { number >= wideSize ? 0xFFFF_FFFF : number }

  private func copy(
    _ count: Int, from start: Int, of source: ByteSource
  ) throws(ImageFileError) {
    let block = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(max(count, 1), 256 << 10), alignment: 64)
    defer { block.deallocate() }
    var done = 0
    while done < count {
      try source.checkCancellation()
      let part = UnsafeMutableRawBufferPointer(
        rebasing: block[..<min(block.count, count - done)])
      guard source.read(into: part, at: start + done) == part.count else {
        throw ZipDirectory.damaged(source)
      }
      try write(UnsafeRawBufferPointer(part))
      done += part.count
    }
  }

  private func write(_ bytes: [UInt8]) throws(ImageFileError) {
    let written = bytes.withUnsafeBytes { writeFully($0, to: descriptor) }
    guard written else { throw failure() }
    position += bytes.count
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(ImageFileError) {
    guard writeFully(bytes, to: descriptor) else { throw failure() }
    position += bytes.count
  }

  private func failure() -> ImageFileError {
    ImageFileError(.notWritten, file: name, "cannot be written: \(errnoText)")
  }
}

extension ZipReader {
  /// Where a member's data begins, behind its own header.
  fileprivate func dataOffset(of member: Member) throws(ImageFileError) -> Int {
    let header = LittleEndianBytes(source.bytes(at: member.record.offset, count: 30)[...])
    guard let nameSize = header[26, 2], let extraSize = header[28, 2] else {
      throw ZipDirectory.damaged(source)
    }
    return member.record.offset + 30 + nameSize + extraSize
  }
}

/// Numbers, lowest byte first.
private struct LittleEndianWriter {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ number: Int, _ count: Int) {
    for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * i))) }
  }
}

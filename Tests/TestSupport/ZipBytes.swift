import CDeflate

/// Builds archives byte by byte, with whatever lies a test needs.
public struct ZipBytes: Sendable {
  public struct Member: Sendable {
    public var name: [UInt8]
    public var content: [UInt8]
    public var flags = 0
    public var method = 0
    public var mode = 0o100644
    /// Overrides of what the headers say.
    public var claimedSize: Int?
    public var claimedStoredSize: Int?
    public var checksum: UInt32?
    public var offset: Int?
    public var centralExtra: [UInt8] = []

    public init(_ name: String, _ content: [UInt8] = [1, 2, 3]) {
      self.name = Array(name.utf8)
      self.content = content
    }

    public init(nameBytes: [UInt8]) {
      name = nameBytes
      content = [1, 2, 3]
    }

    public func with(_ change: (inout Member) -> Void) -> Member {
      var copy = self
      change(&copy)
      return copy
    }
  }

  public var members: [Member]
  public var claimedCount: Int?
  public var isZip64 = false
  public var comment: [UInt8] = []

  public init(_ members: [Member]) { self.members = members }

  public var bytes: [UInt8] {
    var archive: [UInt8] = []
    var directory: [UInt8] = []
    for member in members {
      let stored = member.method == 8 ? Self.deflated(member.content) : member.content
      let checksum = member.checksum ?? libdeflate_crc32(0, member.content, member.content.count)
      let size = member.claimedSize ?? member.content.count
      let storedSize = member.claimedStoredSize ?? stored.count
      let offset = member.offset ?? archive.count
      func fields(_ into: inout [UInt8]) {
        into.append(20, 2)
        into.append(member.flags, 2)
        into.append(member.method, 2)
        into.append(0x21_0000, 4)  // 1980-01-01
        into.append(Int(checksum), 4)
        into.append(storedSize, 4)
        into.append(size, 4)
        into.append(member.name.count, 2)
      }
      archive += [0x50, 0x4B, 3, 4]
      fields(&archive)
      archive.append(0, 2)
      archive += member.name + stored

      directory += [0x50, 0x4B, 1, 2]
      directory.append(20 | 3 << 8, 2)
      fields(&directory)
      directory.append(member.centralExtra.count, 2)
      directory.append(0, 2)
      directory.append(0, 2)
      directory.append(0, 2)
      directory.append(member.mode << 16, 4)
      directory.append(isZip64 ? 0xFFFF_FFFF : offset, 4)
      directory += member.name
      directory += member.centralExtra
    }
    let start = archive.count
    archive += directory
    let count = claimedCount ?? members.count
    if isZip64 {
      let end = archive.count
      archive += [0x50, 0x4B, 6, 6]
      archive.append(44, 8)
      archive.append(45, 2)
      archive.append(45, 2)
      archive.append(0, 8)
      archive.append(count, 8)
      archive.append(count, 8)
      archive.append(directory.count, 8)
      archive.append(start, 8)
      archive += [0x50, 0x4B, 6, 7]
      archive.append(0, 4)
      archive.append(end, 8)
      archive.append(1, 4)
    }
    archive += [0x50, 0x4B, 5, 6]
    archive.append(0, 4)
    archive.append(isZip64 ? 0xFFFF : count, 2)
    archive.append(isZip64 ? 0xFFFF : count, 2)
    archive.append(isZip64 ? 0xFFFF_FFFF : directory.count, 4)
    archive.append(isZip64 ? 0xFFFF_FFFF : start, 4)
    archive.append(comment.count, 2)
    return archive + comment
  }

  static func deflated(_ bytes: [UInt8]) -> [UInt8] {
    let compressor = libdeflate_alloc_compressor(9)
    defer { libdeflate_free_compressor(compressor) }
    let bound = libdeflate_deflate_compress_bound(compressor, bytes.count)
    return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      count = libdeflate_deflate_compress(
        compressor, bytes, bytes.count, buffer.baseAddress, bound)
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ number: Int, _ bytes: Int) {
    for i in 0..<bytes { append(UInt8(truncatingIfNeeded: number >> (8 * i))) }
  }
}

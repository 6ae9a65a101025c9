import Foundation
import ImageFiles
import TestSupport
import Testing

@Suite(.computing) struct ZipReaderTests {
  typealias Member = ZipBytes.Member

  /// Opens an archive, unpacks all of it, and returns what came out.
  private func unpacked(
    _ bytes: [UInt8], limits: ArchiveLimits = ArchiveLimits()
  ) throws -> [String: [UInt8]] {
    let folder = try TemporaryFolder()
    let target = try TemporaryFolder()
    let path = try folder.write(bytes, as: "a.zip")
    let reader = try ZipReader(path: path, name: "a.zip", limits: limits)
    var files: [String: [UInt8]] = [:]
    for member in reader.members {
      let file = try reader.unpack(member, into: target.path)
      #expect(file == "\(target.path)/\(member.name)")
      files[member.name] = Array(try Data(contentsOf: URL(filePath: file)))
      #expect(try reader.bytes(of: member, limit: 1 << 30) == files[member.name])
    }
    return files
  }

  private func failure(
    _ zip: ZipBytes, limits: ArchiveLimits = ArchiveLimits()
  ) throws -> ImageFileError? {
    do {
      _ = try unpacked(zip.bytes, limits: limits)
      return nil
    } catch let error as ImageFileError {
      #expect(error.description.hasPrefix("a.zip "))
      return error
    }
  }

  @Test func `members come out in folders, as they went in`() throws {
    let zip = ZipBytes([
      Member("b.tif", Array(0...255)), Member("sub/", []),
      Member("sub/a.tif", Array(repeating: 7, count: 5000)).with { $0.method = 8 },
      Member("sub dir/é日本.png", [9]), Member("empty.tif", []),
    ])
    let files = try unpacked(zip.bytes)
    #expect(files.count == 4)
    #expect(files["b.tif"] == Array(0...255))
    #expect(files["sub/a.tif"] == Array(repeating: 7, count: 5000))
    #expect(files["sub dir/é日本.png"] == [9])
    #expect(files["empty.tif"] == [])
  }

  @Test func `folders, names without extension and macOS extras are left out`() throws {
    let zip = ZipBytes([
      Member("README"), Member("__MACOSX/._a.tif"), Member("a.tif"), Member(".DS_Store"),
      Member("folder.d/", []), Member("folder.d/plain"), Member(".hidden.tif"),
    ])
    #expect(try unpacked(zip.bytes).keys.sorted() == [".hidden.tif", "a.tif"])
  }

  @Test func `an empty archive has no members`() throws {
    #expect(try unpacked(ZipBytes([]).bytes).isEmpty)
  }

  @Test func `a comment and the 64-bit form do not disturb`() throws {
    var zip = ZipBytes([Member("a.tif", [5])])
    zip.comment = Array("PK\u{5}\u{6} is not the end".utf8)
    #expect(try unpacked(zip.bytes) == ["a.tif": [5]])

    var wide = ZipBytes([
      Member("a.tif", [5]).with { $0.centralExtra = [1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0] }
    ])
    wide.isZip64 = true
    #expect(try unpacked(wide.bytes) == ["a.tif": [5]])
  }

  @Test func `names in the old DOS alphabet are read`() throws {
    let zip = ZipBytes([Member(nameBytes: [0x81, 0x2E, 0x74, 0x69, 0x66])])
    #expect(try unpacked(zip.bytes).keys.sorted() == ["ü.tif"])
  }

  @Test(arguments: [
    "../a.tif", "a/../../b.tif", "/etc/a.tif", "a/..", "./a.tif", "a/./b.tif", "..\\a.tif",
    "a\\..\\..\\b.tif", "\\a.tif", "C:\\a.tif", "c:a.tif", "a\nb.tif", "a\u{7F}.tif", "../",
    String(repeating: "x", count: 1030) + ".tif",
  ])
  func `a name that leads out of the folder is refused`(name: String) throws {
    let error = try failure(ZipBytes([Member("good.tif"), Member(name)]))
    #expect(error?.code == .unsafeMember)
  }

  @Test func `a name with NUL is refused`() throws {
    let name = Array("a.tif".utf8) + [0] + Array("/../b.tif".utf8)
    #expect(try failure(ZipBytes([Member(nameBytes: name)])) != nil)
  }

  @Test(arguments: [0o120777, 0o020666, 0o060666, 0o010644, 0o140644, 0o040755])
  func `links, devices and disguised folders are refused`(mode: Int) throws {
    let error = try failure(ZipBytes([Member("a.tif").with { $0.mode = mode }]))
    #expect(error?.code == .unsafeMember)
    #expect(error?.description.contains("a.tif") == true)
  }

  @Test func `encrypted members are refused with what to do`() throws {
    let error = try failure(ZipBytes([Member("a.tif").with { $0.flags = 1 }]))
    #expect(error?.description.contains("protected by a password") == true)
  }

  @Test func `uncommon compression is refused`() throws {
    for method in [1, 9, 12, 14, 93, 99] {
      let error = try failure(
        ZipBytes([Member("a.tif", Array(0...50)).with { $0.method = method }]))
      #expect(error != nil, "method \(method)")
    }
  }

  @Test(arguments: [("a.tif", "a.tif"), ("d/a.tif", "d//a.tif")])
  func `two members of one name are refused`(first: String, second: String) throws {
    #expect(try failure(ZipBytes([Member(first), Member(second)]))?.code == .unsafeMember)
  }

  @Test func `members that share bytes are refused`() throws {
    let zip = ZipBytes([
      Member("a.tif", Array(0...99)),
      Member("b.tif", Array(0...99)).with { $0.offset = 0 },
    ])
    #expect(try failure(zip)?.description.contains("overlap") == true)
    // A member inside another's data.
    let inner = ZipBytes([Member("a.tif", Array(0...99)), Member("b.tif")])
    var bytes = inner.bytes
    let central = try #require(
      bytes.indices.first { bytes[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
    bytes[central + 20] = 120
    #expect(throws: ImageFileError.self) { try unpacked(bytes) }
  }

  @Test func `members are limited in number`() throws {
    let zip = ZipBytes((0..<5).map { Member("\($0).tif") })
    #expect(try failure(zip, limits: ArchiveLimits(members: 5)) == nil)
    #expect(try failure(zip, limits: ArchiveLimits(members: 4))?.code == .tooLarge)
    var lying = zip
    lying.claimedCount = 60_000
    #expect(try failure(lying)?.code == .tooLarge)
    lying.claimedCount = 9_000
    #expect(try failure(lying)?.code == .damaged)
  }

  @Test func `bytes are limited before unpacking`() throws {
    let zip = ZipBytes([
      Member("a.tif", Array(repeating: 0, count: 600)),
      Member("b.tif", Array(repeating: 0, count: 600)),
    ])
    #expect(try failure(zip, limits: ArchiveLimits(bytes: 1200)) == nil)
    #expect(try failure(zip, limits: ArchiveLimits(bytes: 1199))?.code == .tooLarge)
  }

  @Test func `a bomb is refused`() throws {
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    let zip = ZipBytes([Member("a.tif", zeros).with { $0.method = 8 }])
    let limits = ArchiveLimits(expansion: 200, freeExpansion: 100_000)
    #expect(try failure(zip, limits: limits)?.code == .tooLarge)
    // The same with a directory that claims less: counted while unpacking.
    let lying = ZipBytes([
      Member("a.tif", zeros).with {
        $0.method = 8
        $0.claimedSize = 1000
      }
    ])
    #expect(try failure(lying, limits: limits) != nil)
  }

  @Test func `a member that is not what the directory says is refused`() throws {
    for change: (inout Member) -> Void in [
      { $0.checksum = 1 }, { $0.claimedSize = 2 }, { $0.claimedSize = 400 },
      { $0.claimedStoredSize = 90 },
    ] {
      for method in [0, 8] {
        let member = Member("a.tif", Array(0...99)).with {
          $0.method = method
          change(&$0)
        }
        let error = try failure(ZipBytes([member]))
        #expect(error?.code == .damaged || error?.code == .unsafeMember, "\(member)")
      }
    }
  }

  @Test func `nothing is left of a member that cannot be unpacked`() throws {
    let folder = try TemporaryFolder()
    let zip = ZipBytes([Member("sub/a.tif", Array(0...99)).with { $0.checksum = 1 }])
    let reader = try ZipReader(path: folder.write(zip.bytes, as: "a.zip"), name: "a.zip")
    #expect(throws: ImageFileError.self) {
      try reader.unpack(reader.members[0], into: folder.path)
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/sub/a.tif"))
  }

  @Test func `a link that is already in the folder is not followed`() throws {
    let folder = try TemporaryFolder()
    let outside = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/sub", withDestinationPath: outside.path)
    let zip = ZipBytes([Member("sub/a.tif")])
    let reader = try ZipReader(path: folder.write(zip.bytes, as: "a.zip"), name: "a.zip")
    #expect(throws: ImageFileError.self) {
      try reader.unpack(reader.members[0], into: folder.path)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside.path).isEmpty)
  }

  @Test(arguments: [
    "", "not an archive at all", "PK\u{3}\u{4}", String(repeating: "x", count: 70_000),
  ])
  func `a file that is no archive is refused`(content: String) throws {
    #expect(throws: ImageFileError.self) { try unpacked(Array(content.utf8)) }
  }

  private static let sample = ZipBytes([
    Member("sub/a.tif", Array(repeating: 7, count: 300)).with { $0.method = 8 },
    Member("b.tif", Array(0...40)), Member("d/", []).with { $0.mode = 0o040755 },
  ]).bytes

  @Test func `an archive cut off anywhere is refused`() throws {
    for length in Self.sample.indices {
      #expect(throws: ImageFileError.self, "cut at \(length)") {
        try unpacked(Array(Self.sample[..<length]))
      }
    }
  }

  @Test(arguments: 0..<20)
  func `a changed archive is refused or gives harmless files`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let folder = try TemporaryFolder()
    let target = try TemporaryFolder()
    let limits = ArchiveLimits(members: 100, bytes: 100_000)
    for round in 0..<100 {
      var bytes = Self.sample
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] =
          UInt8.random(in: 0...255, using: &generator)
      }
      let path = try folder.write(bytes, as: "a.zip")
      guard let reader = try? ZipReader(path: path, name: "a.zip", limits: limits) else { continue }
      for member in reader.members {
        guard let file = try? reader.unpack(member, into: target.path) else { continue }
        #expect(file.hasPrefix(target.path + "/"), "round \(round)")
        let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
        #expect((size ?? 0) <= limits.bytes, "round \(round)")
      }
    }
    let parent = URL(filePath: target.path).deletingLastPathComponent().path
    #expect(!FileManager.default.fileExists(atPath: "\(parent)/a.tif"))
  }
}

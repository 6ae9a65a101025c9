import Foundation
import TestSupport
import Testing

@testable import ImageFiles

@Suite(.computing) struct ZipWriterTests {
  /// Writes an archive and returns its members' contents by name, and its bytes.
  private func roundTrip(
    _ entries: [ZipEntry], largestWhole: Int = ZipWriter.largestWhole
  ) throws -> (files: [String: [UInt8]], order: [String], bytes: [UInt8]) {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/out.zip"
    try ZipWriter.write(
      entries, to: path, name: "out.zip", modified: 1_800_000_000, largestWhole: largestWhole)
    let reader = try ZipReader(path: path, name: "out.zip")
    var files: [String: [UInt8]] = [:]
    for member in reader.members { files[member.name] = try reader.bytes(of: member, limit: .max) }
    return (files, reader.members.map(\.name), try folder.bytes(of: "out.zip"))
  }

  @Test(arguments: 0..<40, [ZipWriter.largestWhole, 100])
  func `what goes in comes out, in order`(seed: Int, largestWhole: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let folder = try TemporaryFolder()
    var contents: [String: [UInt8]] = [:]
    let entries = try (0..<Int.random(in: 1...6, using: &generator)).map { i in
      let count = Int.random(in: 0...20_000, using: &generator)
      let isNoise = Bool.random(using: &generator)
      let bytes = (0..<count).map { n in
        isNoise ? UInt8.random(in: 0...255, using: &generator) : UInt8(n / 100 % 7)
      }
      let name = ["a\(i).tif", "sub dir/é日本\(i).tif", "x/y/\(i) %&+.npy"][i % 3]
      contents[name] = bytes
      return Bool.random(using: &generator)
        ? ZipEntry(name: name, content: .bytes(bytes))
        : ZipEntry(name: name, content: .file(path: try folder.write(bytes, as: "in\(i)")))
    }
    let result = try roundTrip(entries, largestWhole: largestWhole)
    #expect(result.files == contents)
    #expect(result.order == entries.map(\.name))
  }

  @Test func `headers are those of the Python service's archives`() throws {
    let bytes = try roundTrip([
      ZipEntry(name: "a_feature_0.tif", content: .bytes(Array(repeating: 3, count: 9000)))
    ]).bytes
    let central = try #require(
      bytes.indices.first { bytes[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
    func field(_ offset: Int, _ count: Int) -> Int {
      bytes[(central + offset)..<(central + offset + count)].reversed().reduce(0) {
        $0 << 8 | Int($1)
      }
    }
    #expect(field(5, 1) == 3)  // made on Unix
    #expect(field(6, 2) == 20)  // version needed: 2.0
    #expect(field(8, 2) == 0)  // flags
    #expect(field(10, 2) == 8)  // deflate
    #expect(field(24, 4) == 9000)
    #expect(field(38, 4) == 0o100644 << 16)
    #expect(bytes[6...7] == [0, 0] && bytes[4...5] == [20, 0])
  }

  @Test func `names outside of ASCII are marked as UTF-8`() throws {
    let bytes = try roundTrip([ZipEntry(name: "é.tif", content: .bytes([1]))]).bytes
    #expect(bytes[7] & 8 != 0)
  }

  @Test func `the same entries give the same archive`() throws {
    let entries = [ZipEntry(name: "a.tif", content: .bytes([1, 2, 3]))]
    #expect(try roundTrip(entries).bytes == roundTrip(entries).bytes)
  }

  @Test func `an archive without entries is an archive`() throws {
    #expect(try roundTrip([]).files.isEmpty)
  }

  @Test func `an older archive is replaced`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Array("old".utf8), as: "out.zip")
    try ZipWriter.write(
      [ZipEntry(name: "a.tif", content: .bytes([1]))], to: path, name: "out.zip")
    #expect(try ZipReader(path: path, name: "out.zip").members.map(\.name) == ["a.tif"])
  }

  @Test func `files are named by their place below a folder`() {
    let entries = ZipEntry.files(["/w/out/s/a.tif", "/w/b.tif"], below: "/w/out")
    #expect(entries.map(\.name) == ["s/a.tif", "b.tif"])
  }

  @Test func `a missing file, a bad name and a name used twice are refused`() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/out.zip"
    for entries in [
      [ZipEntry(name: "a.tif", content: .file(path: "\(folder.path)/none.tif"))],
      [ZipEntry(name: "../a.tif", content: .bytes([1]))],
      [
        ZipEntry(name: "a.tif", content: .bytes([1])),
        ZipEntry(name: "a.tif", content: .bytes([2])),
      ],
    ] {
      #expect(throws: ImageFileError.self) {
        try ZipWriter.write(entries, to: path, name: "out.zip")
      }
      #expect(!FileManager.default.fileExists(atPath: path))
    }
    #expect(throws: ImageFileError.self) {
      try ZipWriter.write(
        [ZipEntry(name: "a.tif", content: .bytes([1]))], to: "\(folder.path)/no/out.zip",
        name: "out.zip")
    }
  }

  @Test func `a file that vanishes before the archive is closed is an error`() throws {
    let folder = try TemporaryFolder()
    let member = WholeMember(.file("\(folder.path)/gone"), level: 3)
    #expect(!member.open())
  }
}

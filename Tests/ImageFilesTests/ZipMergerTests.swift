import CZip
import Foundation
import TestSupport
import Testing

@testable import ImageFiles

@Suite(.computing) struct ZipMergerTests {
  private typealias Member = ZipBytes.Member

  /// Merges archives, each with the folder for names that are taken, and returns what the result holds.
  private func merged(
    _ archives: [(ZipBytes, String)], wideSize: Int = 0xFFFF_FFFF, wideCount: Int = 0xFFFF,
    in folder: TemporaryFolder
  ) throws -> (order: [String], files: [String: [UInt8]]) {
    let path = folder.path + "/merged.zip"
    let merger = try ZipMerger(
      path: path, name: "merged.zip", wideSize: wideSize, wideCount: wideCount)
    for (index, (zip, place)) in archives.enumerated() {
      let source = try folder.write(zip.bytes, as: "\(index).zip")
      let reader = try ZipReader(path: source, name: "\(index).zip", selection: .all)
      try merger.add(reader, elsewhere: place)
      // Nothing of it is needed any more.
      try FileManager.default.removeItem(atPath: source)
    }
    try merger.finish()
    let reader = try ZipReader(path: path, name: "merged.zip", selection: .all)
    var files: [String: [UInt8]] = [:]
    for member in reader.members {
      files[member.name] = try reader.bytes(of: member, limit: .max)
    }
    return (reader.members.map(\.name), files)
  }

  @Test(arguments: 0..<30, [0xFFFF_FFFF, 200])
  func `members of several archives come out in order, also with fields of 64 bits`(
    seed: Int, wideSize: Int
  ) throws {
    var generator = SeededGenerator(seed: seed)
    let folder = try TemporaryFolder()
    var expected: [String: [UInt8]] = [:]
    var order: [String] = []
    let archives = (0..<Int.random(in: 0...5, using: &generator)).map { archive in
      let members = (0..<Int.random(in: 0...4, using: &generator)).map { index in
        let count = Int.random(in: 0...2000, using: &generator)
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 100 * seed) }
        let name = ["é日本/\(archive) \(index).tif", "plain\(archive)\(index)"][index % 2]
        expected[name] = bytes
        order.append(name)
        return Member(name, bytes).with { $0.method = count > 0 && index % 3 < 2 ? 8 : 0 }
      }
      return (ZipBytes(members + [Member("folder\(archive)/", [])]), "else")
    }
    let result = try merged(archives, wideSize: wideSize, wideCount: wideSize, in: folder)
    #expect(result.order == order)
    #expect(result.files == expected)
  }

  /// An archive with sizes of 64 bits, and the names and sizes of what is in it.
  private func wideArchive(in folder: TemporaryFolder) throws -> String {
    let content = [UInt8](repeating: 7, count: 5000)
    let zip = ZipBytes([
      Member("sub/é.tif", content).with { $0.method = 8 }, Member("b.tif", content),
    ])
    _ = try merged([(zip, "x"), (zip, "y")], wideSize: 3000, wideCount: 2, in: folder)
    return "sub/é.tif:5000 b.tif:5000 y/sub/é.tif:5000 y/b.tif:5000"
  }

  @Test func `the result is as consistent as libzip can tell`() throws {
    let folder = try TemporaryFolder()
    let expected = try wideArchive(in: folder)
    var code: Int32 = 0
    let path = folder.path + "/merged.zip"
    let archive = try #require(zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code), "\(code)")
    defer { zip_discard(archive) }
    let members = try (0..<zip_get_num_entries(archive, 0)).map { index in
      var status = zip_stat_t()
      try #require(zip_stat_index(archive, zip_uint64_t(index), 0, &status) == 0)
      return "\(String(cString: status.name)):\(status.size)"
    }
    #expect(members.joined(separator: " ") == expected)
  }

  @Test(
    .enabled("python3 is not there to read the archive") {
      FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")
    }
  )
  func `Python reads the result`() async throws {
    let folder = try TemporaryFolder()
    let expected = try wideArchive(in: folder)
    let program = """
      import sys, zipfile
      z = zipfile.ZipFile(sys.argv[1])
      assert z.testzip() is None
      print(*[f"{i.filename}:{i.file_size}" for i in z.infolist()])
      """
    let output = try await runTool("python3", ["-c", program, folder.path + "/merged.zip"])
    #expect(output == expected + "\n")
  }

  @Test func `a name that is taken goes to the folder given`() throws {
    let folder = try TemporaryFolder()
    let result = try merged(
      [
        (ZipBytes([Member("a_feature_0.tif", [1])]), "a.tif"),
        (ZipBytes([Member("a_feature_0.tif", [2])]), "a.png"),
        (ZipBytes([Member("a_feature_0.tif", [3])]), "a.png"),
        // A file where others have a folder, and a folder where others have a file.
        (ZipBytes([Member("a.png", [4]), Member("a_feature_0.tif/x.tif", [5])]), "last"),
      ], in: folder)
    #expect(
      result.files == [
        "a_feature_0.tif": [1], "a.png/a_feature_0.tif": [2], "a.png (2)/a_feature_0.tif": [3],
        "last/a.png": [4], "last/a_feature_0.tif/x.tif": [5],
      ])
  }

  @Test func `what was not finished is removed`() throws {
    let folder = try TemporaryFolder()
    do {
      let source = try folder.write(ZipBytes([Member("a.tif")]).bytes, as: "a.zip")
      let merger = try ZipMerger(path: folder.path + "/merged.zip", name: "merged.zip")
      try merger.add(try ZipReader(path: source, name: "a.zip"), elsewhere: "x")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/merged.zip"))
  }

  @Test func `a full disk is an error`() throws {
    let folder = try TemporaryFolder()
    let source = try folder.write(
      ZipBytes([Member("a.tif", Array(repeating: 1, count: 100_000))]).bytes, as: "a.zip")
    let reader = try ZipReader(path: source, name: "a.zip")
    // By a link, which is removed in place of the device.
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/merged.zip", withDestinationPath: "/dev/full")
    let merger = try ZipMerger(path: folder.path + "/merged.zip", name: "merged.zip")
    #expect(throws: ImageFileError.self) { try merger.add(reader, elsewhere: "x") }
  }
}

import Consumers
import Foundation
import ImageFiles
import TestSupport
import Testing

/// An archive that must fail its job, and what is said of it.
struct HostileArchive: Sendable, CustomTestStringConvertible {
  typealias Member = ZipBytes.Member

  let name: String
  /// Makes the archive; nil if there is none in the bucket.
  let bytes: @Sendable () -> [UInt8]?
  let words: String
  var code = JobError.Code.invalidInput
  var fields: [String: String] = [:]
  var limits = ArchiveLimits()

  var testDescription: String { name }

  static let all =
    noArchives + members + sizes + [
      HostileArchive(name: "no files", bytes: { ZipBytes([]).bytes }, words: "holds no images"),
      .members("only what is left out", words: "holds no images") {
        [
          Member("__MACOSX/._a.tif"), Member("README"), Member("folder.tif/", []),
          Member(".DS_Store"), Member("a/b/c"),
        ]
      },
      HostileArchive(
        name: "an archive that is not there", bytes: { nil },
        words: "uploads/bad.zip does not exist",
        code: .storageNotFound),
      HostileArchive(
        name: "no archive by its name", bytes: { good },
        words:
          "Invalid filetype for \"predict-zip\" job: uploads/bad.tif is no zip archive; send it "
          + "to the queue \"predict\"", fields: ["input_file_name": "uploads/bad.tif"]),
      HostileArchive(
        name: "no input", bytes: { good }, words: "input_file_name is empty",
        fields: ["input_file_name": ""]),
      HostileArchive(
        name: "an input elsewhere", bytes: { good }, words: "../../etc/passwd.zip",
        fields: ["input_file_name": "uploads/../../etc/passwd.zip"]),
    ]

  private static let good = ZipBytes([
    Member("a.tif", Array(0...99)), Member("b.tif", Array(0...99)),
  ]).bytes

  private static let noArchives: [HostileArchive] = [
    HostileArchive(name: "an empty file", bytes: { [] }, words: "bad.zip"),
    HostileArchive(
      name: "text", bytes: { Array("cells and more cells".utf8) }, words: "is not a ZIP archive"),
    HostileArchive(
      name: "an archive cut off", bytes: { Array(good.dropLast(30)) }, words: "is not a ZIP archive"
    ),
    HostileArchive(
      name: "an archive whose begin is missing", bytes: { Array(good.dropFirst(40)) },
      words: "damaged"),
    HostileArchive(
      name: "a part of a split archive",
      bytes: {
        var bytes = good
        bytes[bytes.count - 18] = 3
        return bytes
      }, words: "one part of a split ZIP archive"),
  ]

  /// Archives with one bad member behind a good one, which must not reach the bucket or stay there.
  private static let members: [HostileArchive] = [
    .member("a password", words: "is protected by a password") { $0.flags = 1 },
    .member("a link", words: "is a link or a device") { $0.mode = 0o120777 },
    .member("a device", words: "is a link or a device") { $0.mode = 0o020666 },
    .member("a method that is not common", words: "uncommon way (method 14)") { $0.method = 14 },
    .member("another's bytes", words: "overlap") { $0.offset = 0 },
    .member("a wrong checksum", words: "b.tif, that is damaged") { $0.checksum = 1 },
    .member("a wrong checksum of a packed file", words: "b.tif, that is damaged") {
      $0.method = 8
      $0.checksum = 1
    },
    .member("a size too small", words: "b.tif") {
      $0.method = 8
      $0.claimedSize = 7
    },
    .member("a size too large", words: "b.tif") {
      $0.method = 8
      $0.claimedSize = 7000
    },
    .name("a path upwards", "../b.tif", words: "\"..\""),
    .name("a path upwards in between", "a/../../b.tif", words: "\"..\""),
    .name("an absolute path", "/etc/b.tif", words: "has an absolute path"),
    .name("a path of Windows", "C:\\b.tif", words: "has an absolute path"),
    .name("backslashes upwards", "..\\b.tif", words: "\"..\""),
    .name("a line break", "b\n.tif", words: "control characters"),
    .name("a name twice", "a.tif", words: "is in it twice"),
    .name("a file for a folder", "a.tif/b.tif", words: "is both a file and a folder"),
    .name("a name too long", String(repeating: "x", count: 300) + ".tif", words: "too long"),
    .name(
      "a path too long for the bucket",
      String(repeating: String(repeating: "x", count: 198) + "/", count: 5) + "b.tif",
      words: "longer than 1024 bytes"),
    .name("a backslash before a dot", "a\\.\\b.tif", words: "would leave its folder"),
  ]

  private static let sizes: [HostileArchive] = [
    .members(
      "too many members", words: "has 6 members; at most 5 are allowed",
      limits: ArchiveLimits(members: 5)
    ) { (0..<6).map { Member("\($0).tif") } },
    .members(
      "too many bytes", words: "at most 1 kB are allowed",
      limits: ArchiveLimits(bytes: 1000)
    ) { (0..<11).map { Member("\($0).tif", Array(repeating: 1, count: 100)) } },
    .members("a bomb", words: "at most 67 MB are allowed") {
      [
        Member("a.tif", Array(repeating: 0, count: 70_000_000)).with { $0.method = 8 }
      ]
    },
    .members("a bomb that says it is none", words: "b.tif") {
      [
        Member("a.tif"),
        Member("b.tif", Array(repeating: 0, count: 70_000_000)).with {
          $0.method = 8
          $0.claimedSize = 1000
        },
      ]
    },
    HostileArchive(
      name: "more members than it has",
      bytes: {
        var zip = ZipBytes([Member("a.tif")])
        zip.claimedCount = 9000
        return zip.bytes
      }, words: "damaged"),
    .members(
      "more files than a job may have parts", words: "has 10001 parts",
      limits: ArchiveLimits(members: 20_000)
    ) { (0...10_000).map { Member("\($0).tif", []) } },
  ]

  private static func members(
    _ name: String, words: String, limits: ArchiveLimits = ArchiveLimits(),
    _ members: @escaping @Sendable () -> [Member]
  ) -> HostileArchive {
    HostileArchive(
      name: name, bytes: { ZipBytes(members()).bytes }, words: words, limits: limits)
  }

  private static func member(
    _ name: String, words: String, _ change: @escaping @Sendable (inout Member) -> Void
  ) -> HostileArchive {
    .members(name, words: words) {
      [Member("a.tif", Array(0...99)), Member("b.tif", Array(0...99)).with(change)]
    }
  }

  private static func name(_ name: String, _ member: String, words: String) -> HostileArchive {
    .members(name, words: words) { [Member("a.tif", Array(0...99)), Member(member)] }
  }
}

/// Archives that are none, damaged, or made to do harm.
@Suite struct HostileArchiveTests {
  @Test(.redisServer, arguments: HostileArchive.all)
  func `a bad archive fails with a reason and leaves nothing`(archive: HostileArchive) async throws
  {
    let bench = try ZipBench { $0.archiveLimits = archive.limits }
    if let bytes = archive.bytes() {
      try FileManager.default.createDirectory(
        atPath: bench.harness.store.file("uploads"), withIntermediateDirectories: true)
      for name in ["bad.zip", "bad.tif"] {
        try Data(bytes).write(to: URL(filePath: bench.harness.store.file("uploads/\(name)")))
      }
    }
    let key = try await bench.harness.submit(name: "bad.zip")
    if !archive.fields.isEmpty {
      for (name, value) in archive.fields {
        try await bench.redis.command("HSET", key, name, value)
      }
    }
    try await bench.withServices(images: nil) {
      let fields = try await bench.harness.end(of: key)
      #expect(fields["status"] == "failed")
      #expect(fields["error_code"] == archive.code.rawValue)
      let reason = try #require(fields["reason"])
      #expect(reason.contains(archive.words), "\(reason)")
      #expect(!reason.contains("\n") && !reason.contains(bench.harness.work.path))
      #expect(fields["children"] == nil && fields["output_url"] == nil)
    }
    #expect(bench.objects() == [])
    let keys: [String] = try await bench.redis.command("KEYS", "*").decode()
    #expect(keys.filter { !$0.hasPrefix("kiosk:") } == [key])
    #expect(!keys.contains { $0.hasPrefix("kiosk:objects") })
  }
}

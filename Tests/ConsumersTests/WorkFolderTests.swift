import Consumers
import Foundation
import Logging
import TestSupport
import Testing

@Suite struct WorkFolderTests {
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  @Test func `folders of dead processes are removed and those of living ones are not`() throws {
    let parent = try TemporaryFolder()
    let living = try WorkFolder(in: parent.path, logger: logger)
    let dead = parent.file("kiosk-work-dead")
    try FileManager.default.createDirectory(atPath: dead, withIntermediateDirectories: true)
    try Data().write(to: URL(filePath: dead + "/.lock"))
    try Data("pixels".utf8).write(to: URL(filePath: dead + "/input.tif"))
    try Data().write(to: URL(filePath: parent.file("unrelated.txt")))

    let another = try WorkFolder(in: parent.path, logger: logger)

    let names = try FileManager.default.contentsOfDirectory(atPath: parent.path).sorted()
    #expect(
      names
        == [another.url.lastPathComponent, living.url.lastPathComponent, "unrelated.txt"].sorted())
  }

  @Test func `a folder without a lock is removed once its maker cannot be at it any more`() throws {
    let parent = try TemporaryFolder()
    for (name, age) in [("kiosk-work-old", 3600.0), ("kiosk-work-new", 0)] {
      try FileManager.default.createDirectory(
        atPath: parent.file(name), withIntermediateDirectories: true)
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: parent.file(name))
    }
    let folder = try WorkFolder(in: parent.path, logger: logger)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: parent.path).sorted()
        == [folder.url.lastPathComponent, "kiosk-work-new"].sorted())
  }

  @Test func `a link is left alone, and so is what it leads to`() throws {
    let parent = try TemporaryFolder()
    let other = try TemporaryFolder()
    for name in [".lock", "precious"] { try Data().write(to: URL(filePath: other.file(name))) }
    try FileManager.default.createSymbolicLink(
      atPath: parent.file("kiosk-work-link"), withDestinationPath: other.path)
    let inner = parent.file("kiosk-work-inner")
    try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: inner + "/.lock", withDestinationPath: other.file(".lock"))

    let folder = try WorkFolder(in: parent.path, logger: logger)

    #expect(
      try FileManager.default.contentsOfDirectory(atPath: parent.path).sorted()
        == [folder.url.lastPathComponent, "kiosk-work-link", "kiosk-work-inner"].sorted())
    #expect(FileManager.default.fileExists(atPath: other.file("precious")))
  }

  @Test func `processes that start together do not take each other's folders`() async throws {
    let parent = try TemporaryFolder()
    let folders = try await withThrowingTaskGroup(of: WorkFolder.self) { group in
      for _ in 0..<50 {
        group.addTask { try WorkFolder(in: parent.path, logger: logger) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    for folder in folders {
      #expect(FileManager.default.fileExists(atPath: folder.url.appending(path: ".lock").path))
    }
    #expect(Set(folders.map(\.url)).count == 50)
  }

  @Test func `a folder goes with its owner and is nobody else's to read`() throws {
    let parent = try TemporaryFolder()
    do {
      let folder = try WorkFolder(in: parent.path, logger: logger)
      let attributes = try FileManager.default.attributesOfItem(atPath: folder.url.path)
      #expect(attributes[.posixPermissions] as? Int == 0o700)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: parent.path).isEmpty)
  }

  @Test func `a temporary folder that cannot be written names the setting`() {
    let error = #expect(throws: JobError.self) {
      try WorkFolder(in: "/proc/nowhere", logger: logger)
    }
    #expect(error?.description.contains("check TMPDIR") == true)
  }
}

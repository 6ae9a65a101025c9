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

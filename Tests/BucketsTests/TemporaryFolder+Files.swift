import Foundation
import TestSupport

extension TemporaryFolder {
  var url: URL { URL(filePath: path, directoryHint: .isDirectory) }

  @discardableResult
  func write(_ text: String, to path: String) throws -> URL {
    let file = url.appending(path: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file
  }

  /// All files below the folder, hidden ones too.
  var files: [String] {
    get throws {
      try FileManager.default.subpathsOfDirectory(atPath: path).filter {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(
          atPath: file($0), isDirectory: &isFolder)
        return !exists || !isFolder.boolValue
      }.sorted()
    }
  }
}

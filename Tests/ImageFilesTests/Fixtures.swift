import Arrays
import Foundation
import ImageFiles

/// Files the tests read.
enum Fixtures {
  static let images = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/images")

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: images.appending(path: name)))
  }
}

/// A folder of its own for a test, removed with the last reference to it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "image-files-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  func write(_ bytes: [UInt8], as name: String) throws -> String {
    let path = "\(path)/\(name)"
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }

  func bytes(of name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: "\(path)/\(name)")))
  }
}

/// SplitMix64: the same numbers for the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

extension AnyNDArray {
  var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension ImageFile {
  /// What went wrong, or nil.
  static func failure(
    _ bytes: [UInt8], name: String, limits: DecodingLimits = .generous
  ) -> ImageFileError? {
    do {
      _ = try decode(bytes, name: name, limits: limits)
      return nil
    } catch {
      return error
    }
  }
}

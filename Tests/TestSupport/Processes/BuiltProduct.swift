import Foundation

/// Executables built along with the tests.
public enum BuiltProduct {
  /// Where an executable product of this package is.
  public static func path(_ name: String) throws -> String {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let path = URL(filePath: program).deletingLastPathComponent().appending(path: name).path
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw TestSupportError("\(path) is missing; build it with swift build")
    }
    return path
  }
}

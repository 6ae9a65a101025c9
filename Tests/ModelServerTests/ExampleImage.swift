import Arrays
import Foundation
import ImageFiles

/// The real image of `Examples/` and its nuclei labelled by hand.
enum ExampleImage {
  /// `[row, column]`, raw grey levels.
  static func nuclei() throws -> NDArray<Float> { try read("nuclei.tif") }
  /// `[row, column]`, 0 is background.
  static func labels() throws -> NDArray<Int32> { try read("nuclei-labels.tif").map { Int32($0) } }

  private static func read(_ name: String) throws -> NDArray<Float> {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Examples")
    return try ImageFile.decode(contentsOf: folder.appending(path: name).path, name: name)
      .pixels.asFloat
  }
}

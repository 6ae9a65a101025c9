import Arrays
import ImageFiles

/// A file of a result that has the name of a label image: `<name>_feature_<number>.tif`, with
/// `_batch_<number>` before it where the image is a stack.
struct LabelFile {
  private let path: String
  let name: String
  /// The name of its image without an ending, with its folder in an archive.
  let imageName: String
  /// Which of the job's applications it belongs to, from 0.
  let feature: Int
  /// Which frame of the image it belongs to, from 0.
  let frame: Int
  /// Whether its model was given all channels of the job at once: its name then has no frame.
  let isOfAllChannels: Bool
  /// Once it has been read.
  private(set) var shape: Shape?

  /// Nil for files of other kinds.
  init?(path: String, name: String) {
    guard
      let match = name.wholeMatch(
        of: /(?:(.*?)[_\/])??(?:batch_([0-9]{1,6})_)?feature_([0-9]{1,6})\.tiff?/),
      let feature = Int(match.3)
    else { return nil }
    self.path = path
    self.name = name
    self.feature = feature
    isOfAllChannels = match.2 == nil
    frame = match.2.flatMap { Int($0) } ?? 0
    imageName = match.1.map(String.init) ?? ""
  }

  /// The folder it is in, with a slash at the end; empty for none.
  var folder: Substring {
    name[..<(name.lastIndex(of: "/").map(name.index(after:)) ?? name.startIndex)]
  }

  /// The name of a picture that belongs to it.
  func pictureName(_ kind: String) -> String {
    (name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name) + "_\(kind).png"
  }

  /// - Returns: `[row, column]` or `[frame, row, column]`; nil when the values are none of labels, as
  ///   where a job asked for what its model answers: counted as cells they would be nonsense.
  mutating func read() throws -> NDArray<Int32>? {
    let pixels = try ImageFile.decode(contentsOf: path, name: name).pixels
    guard pixels.rank >= 2 else {
      throw KioskError(.jobFailed, "\(name.printable) of the result is no image")
    }
    shape = pixels.shape
    let isLabels: Bool
    switch pixels.dtype {
    case .float16, .float32, .float64:
      isLabels = pixels.asFloat.withUnsafeBuffer {
        $0.allSatisfy { $0 >= 0 && $0 < 0x1p31 && $0 == $0.rounded() }
      }
    default: isLabels = true
    }
    return isLabels ? pixels.converted(to: Int32.self) : nil
  }
}

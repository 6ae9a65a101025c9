import Arrays

/// The formats that can be read.
public enum ImageFormat: String, Sendable, CaseIterable {
  case tiff = "TIFF"
  case png = "PNG"
  case jpeg = "JPEG"
  case npy = "NPY"

  /// The known formats as a list for messages: `TIFF, PNG and NPY`.
  static var known: String {
    let names = allCases.map(\.rawValue)
    return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
  }
}

/// An image as it was stored, without conversion of its values.
public struct DecodedImage: Sendable {
  /// The pixels in their stored type; 1-bit images are `Bool`.
  public let pixels: AnyNDArray
  public let format: ImageFormat
  /// One letter per axis of ``pixels``, slowest first: T time, Z depth, C channel, Y row, X column,
  /// S sample of a pixel, I page, Q unknown.
  public let axes: String
  /// Pages of the file that are not in ``pixels``: of another size or type, or images of their own. Those
  /// that are marked as smaller copies do not count.
  public let otherPages: Int

  init(pixels: AnyNDArray, format: ImageFormat, axes: String, otherPages: Int = 0) {
    self.pixels = pixels
    self.format = format
    self.axes = axes
    self.otherPages = otherPages
  }
}

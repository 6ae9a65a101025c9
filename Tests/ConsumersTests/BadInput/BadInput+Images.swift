import Arrays
import Consumers
import Foundation
import ImageFiles
import TestSupport

extension BadInput {
  /// Files that are no image that can be worked on.
  static let images: [BadInput] = contents + pixels + shapes

  /// Files that cannot be read, whatever for.
  static let contents: [BadInput] = [
    .image("empty file", "is empty (0 bytes)", "send it again") { [] },
    .image("text file named .tif", "is not a TIFF image", "starts with \"These are not") {
      Array("These are not the cells you are looking for.".utf8)
    },
    .image("HTML error page named .tif", "is not a TIFF image", "web page") {
      Array("<html><body><h1>404 Not Found</h1></body></html>".utf8)
    },
    .image("zip archive named .tif", "is not a TIFF image", "ZIP archive") {
      Array("PK\u{3}\u{4}".utf8) + Array(repeating: 0, count: 60)
    },
    .image("PNG named .tif", "is not a TIFF image", "it is a PNG image") {
      try PNGEncoder.encode(NDArray<UInt8>(shape: [4, 4, 1], repeating: 1), name: "a.png")
    },
    .image("text file named .png", file: "bad.png", "is not an image that can be read") {
      Array("no picture".utf8)
    },
    .image("unknown ending", file: "bad.czi", "Zeiss CZI") {
      Array("ZISRAWFILE".utf8) + Array(repeating: 0, count: 100)
    },
    .image("TIFF header and nothing else", "save or export it again") { [0x49, 0x49, 42, 0] },
    .image("TIFF of 0 pages", "bad.tif has") { [0x49, 0x49, 42, 0, 0, 0, 0, 0] },
    .image("TIFF of 0 rows", "bad.tif has") { try tiff(setting: 257, to: 0) },
    .image("TIFF of 0 columns", "bad.tif has") { try tiff(setting: 256, to: 0) },
    .image("TIFF that claims 4 billion rows", "has a damaged TIFF header") {
      try tiff(setting: 257, to: 0xFFFF_FFF0)
    },
    .image("TIFF that claims 100,000 rows", "at most 8192 x 8192 are allowed", "crop it") {
      try tiff(setting: 257, to: 100_000)
    },
    .image("TIFF cut off in the middle", "damaged or cut off") {
      Array(try TestImage.tiff(TestImage.cells).prefix(5000))
    },
    .image("TIFF whose pages point in a circle", "bad.tif") {
      // The directory behind the 8 bytes of the header, and itself as the next one.
      var bytes = try TestImage.tiff(TestImage.cells)
      let next = 8 + 2 + 12 * Int(bytes[8])
      bytes.replaceSubrange(next..<next + 4, with: [8, 0, 0, 0])
      return bytes
    },
    .image("PNG cut off in the middle", file: "bad.png", "bad.png") {
      var generator = SeededGenerator(seed: 5)
      let noise = NDArray<UInt8>(shape: [64, 64, 1], elements: generator.bytes(4096))
      return Array(try PNGEncoder.encode(noise, name: "a.png").prefix(2000))
    },
    .image("PNG with a damaged header", file: "bad.png", "bad.png") {
      var bytes = try PNGEncoder.encode(NDArray<UInt8>(shape: [9, 9, 1], repeating: 1), name: "a")
      bytes[18] ^= 0xFF
      return bytes
    },
    .image("JPEG of garbage", file: "bad.jpg", "bad.jpg") {
      [0xFF, 0xD8, 0xFF, 0xE0] + Array(repeating: 0x41, count: 500)
    },
    .image("NumPy array cut off", file: "bad.npy", "bad.npy") {
      Array(NPYEncoder.encode(TestImage.cells).dropLast(1000))
    },
    .image("NumPy array of Python objects", file: "bad.npy", "bad.npy") {
      var bytes = NPYEncoder.encode(TestImage.cells)
      guard let type = bytes.firstRange(of: Array("'<f4'".utf8)) else { return bytes }
      bytes.replaceSubrange(type, with: Array("'|O' ".utf8))
      return bytes
    },
  ]

  /// Pixels that nothing can be computed with, in images of one channel.
  static let pixels: [BadInput] = [
    .image("a NaN", "the image has 1 of 2688 pixels", "not a number (NaN), infinite") {
      try TestImage.tiff(TestImage.cells(with: [77: .nan]))
    },
    .image("infinite pixels", "the image has 2 of 2688 pixels") {
      try TestImage.tiff(TestImage.cells(with: [3: .infinity, 2000: -.infinity]))
    },
    .image("nothing but NaNs", "the image has 2688 of 2688 pixels") {
      try TestImage.tiff(NDArray(shape: [48, 56], repeating: .nan))
    },
    .image(
      "a NaN in the third of 5 frames", fields: ["dimension_order": "BXY"],
      "frame 2 of the image, counted from 0, has 1 of 36 pixels"
    ) {
      var elements = [Float](repeating: 0.5, count: 180)
      elements[2 * 36 + 7] = .nan
      return try TestImage.tiff(NDArray(shape: [5, 6, 6], elements: elements))
    },
    .image("a NaN, and a scale", fields: ["scale": "2"], "the image has 1 of 2688 pixels") {
      try TestImage.tiff(TestImage.cells(with: [77: .nan]))
    },
    .image("numbers beyond 32-bit floats", file: "bad.npy", "the image has 1 of 4 pixels") {
      NPYEncoder.encode(NDArray<Double>(shape: [2, 2], elements: [0, 1, 2, 1e300]))
    },
    .image("pixels too far apart for their type", "reach from -3e+38 to 3e+38, too far apart") {
      try TestImage.tiff(TestImage.cells(with: [0: 3e38, 1: -3e38]))
    },
  ]

  private static let shapes: [BadInput] =
    [
      ([64], [:], "images have 2 to 4 axes"),
      ([], [:], "images have 2 to 4 axes"),
      ([2, 2, 2, 2, 2], [:], "images have 2 to 4 axes"),
      ([1, 1, 1, 1, 4, 4], [:], "images have 2 to 4 axes"),
      ([0, 5], [:], "no pixels"), ([5, 0], [:], "no pixels"),
      ([0, 5, 5], ["dimension_order": "BXY"], "no pixels"),
      ([5, 5, 0], ["dimension_order": "XYC"], "no pixels"),
      ([9, 8, 7, 6], [:], "cannot tell which axis"),
      ([1, 2049], [:], "Input image is larger than the maximum supported image size"),
      ([2049, 1], [:], "Input image is larger than the maximum supported image size"),
      ([1, 9000], [:], "Input image is larger than the maximum supported image size"),
      ([61, 5, 5], ["dimension_order": "BXY"], "the image has 61 frames; at most 60 are allowed"),
      ([2000, 5, 5], ["dimension_order": "BXY"], "frames; at most"),
      ([5, 5, 300], ["dimension_order": "XYC", "channels": "300,"], "channel 300 was selected"),
    ].map { (shape: Shape, fields: [String: String], words: String) in
      .image(
        "image of shape \(shape.tupleDescription)"
          + (fields["dimension_order"].map { ", order \($0)" } ?? ""),
        file: "bad.npy", fields: fields, words
      ) { NPYEncoder.encode(NDArray<UInt8>(shape: shape, repeating: 1)) }
    }

  /// A TIFF file with another value in one field of its directory.
  private static func tiff(setting tag: Int, to value: Int) throws -> [UInt8] {
    var bytes = try TestImage.tiff(TestImage.cells)
    for entry in 0..<Int(bytes[8]) {
      let start = 10 + 12 * entry
      guard Int(bytes[start]) + Int(bytes[start + 1]) << 8 == tag else { continue }
      for i in 0..<4 { bytes[start + 8 + i] = UInt8(truncatingIfNeeded: value >> (8 * i)) }
    }
    return bytes
  }
}

import Arrays
import CZip
import Foundation
import ImageFiles

/// Prints how long reading, writing and packing take, and the ratio to copying the same memory.
///
///     swift run -c release ImageFilesBenchmark [folder for temporary files]

let folder = CommandLine.arguments.dropFirst().first ?? NSTemporaryDirectory()
let clock = ContinuousClock()

/// The shortest of several runs, in milliseconds.
func measure(_ body: () throws -> Void) rethrows -> Double {
  var best = Duration.seconds(1000)
  for _ in 0..<9 { best = min(best, try clock.measure(body)) }
  return Double(best.components.attoseconds) / 1e15 + Double(best.components.seconds) * 1e3
}

func show(_ what: String, _ time: Double, _ note: String) {
  let name = what.padding(toLength: 44, withPad: " ", startingAt: 0)
  print("  \(name)\(String(format: "%8.2f ms", time))  \(note)")
}

/// What the Python service does: one member by zlib's level 6.
func zipByZlib(_ path: String, to archive: String) {
  var code: Int32 = 0
  let handle = zip_open(archive, ZIP_CREATE | ZIP_TRUNCATE, &code)
  let index = zip_file_add(handle, "a.tif", zip_source_file(handle, path, 0, -1), 0)
  zip_set_file_compression(handle, UInt64(index), ZIP_CM_DEFLATE, 6)
  zip_close(handle)
}

func fileSize(_ path: String) throws -> Int {
  try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
}

/// Round cells on a grid with jitter, numbered in scan order.
func labels(_ size: Int) -> NDArray<Int32> {
  var array = NDArray<Int32>(shape: [1, size, size, 1])
  var state: UInt64 = 1
  func random(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
  array.withUnsafeMutableBuffer { pixels in
    var label: Int32 = 0
    for y in stride(from: 20, to: size - 20, by: 40) {
      for x in stride(from: 20, to: size - 20, by: 40) {
        label += 1
        let (cy, cx, radius) = (y + random(9) - 4, x + random(9) - 4, 9 + random(7))
        for dy in -radius...radius {
          for dx in -radius...radius where dy * dy + dx * dx <= radius * radius {
            pixels[min(max(cy + dy, 0), size - 1) * size + min(max(cx + dx, 0), size - 1)] = label
          }
        }
      }
    }
  }
  return array
}

for edge in [512, 2048] {
  let array = labels(edge)
  print("\(edge) x \(edge) labels, \(array.elements.max() ?? 0) cells")
  let bytes = edge * edge * 4
  var target = [UInt8](repeating: 0, count: bytes)
  let copy = measure {
    target.withUnsafeMutableBytes { to in
      array.withUnsafeBuffer { to.copyMemory(from: UnsafeRawBufferPointer($0)) }
    }
  }
  show("copying the array", copy, "")
  func ratio(_ time: Double) -> String { String(format: "%.1f x copying", time / copy) }

  let writeRaw = try measure { try Data(target).write(to: URL(filePath: "\(folder)/raw")) }
  show("writing as many bytes to a file", writeRaw, ratio(writeRaw))
  var paths: [String] = []
  let save = try measure { paths = try LabelFiles.save(array, name: "bench", in: folder) }
  show("saving a label TIFF", save, ratio(save))
  let encode = try measure { _ = try LabelFiles.encode(AnyNDArray(array), channel: 0) }
  show("the same into memory", encode, ratio(encode))
  let read = try measure { _ = try ImageFile.decode(contentsOf: paths[0], name: "a.tif") }
  show("reading it from the file", read, ratio(read))
  let file = Array(try Data(contentsOf: URL(filePath: paths[0])))
  let readMemory = try measure { _ = try ImageFile.decode(file, name: "a.tif") }
  show("reading it from memory", readMemory, ratio(readMemory))

  let archive = "\(folder)/bench.zip"
  let entries = ZipEntry.files(paths, below: folder)
  let zlib = measure { zipByZlib(paths[0], to: archive) }
  let zlibSize = try fileSize(archive)
  show("zipping it by zlib level 6", zlib, "\(zlibSize) bytes")
  let zip = try measure { try ZipWriter.write(entries, to: archive, name: "bench.zip") }
  let size = try fileSize(archive)
  let times = String(
    format: "%.1f x as fast, %.2f x the size", zlib / zip, Double(size) / Double(zlibSize))
  show("zipping it", zip, "\(size) bytes: \(times)")
  let fromMemory = try measure {
    let bytes = try LabelFiles.encode(AnyNDArray(array), channel: 0)
    try ZipWriter.write(
      [ZipEntry(name: "a.tif", content: .bytes(bytes))], to: archive, name: "bench.zip")
  }
  show("labels to archive without a file between", fromMemory, "")
  let reader = try ZipReader(path: archive, name: "bench.zip")
  let unzip = try measure { _ = try reader.bytes(of: reader.members[0], limit: 1 << 30) }
  show("unzipping it", unzip, ratio(unzip))

  let picture = NDArray<UInt8>(uninitialized: [edge, edge, 3]) { pixels in
    array.withUnsafeBuffer { labels in
      for i in pixels.indices {
        pixels[i] = UInt8(truncatingIfNeeded: labels[i / 3] &* Int32(i % 3 + 3))
      }
    }
  }
  var png: [UInt8] = []
  let encodePNG = try measure { png = try PNGEncoder.encode(picture, name: "a.png") }
  show("encoding an RGB PNG", encodePNG, "\(png.count) bytes")
  let decodePNG = try measure { _ = try ImageFile.decode(png, name: "a.png") }
  show("decoding it", decodePNG, "")
  for path in paths + [archive, "\(folder)/raw"] {
    try FileManager.default.removeItem(atPath: path)
  }
}

import Arrays
import Foundation

/// An array of a golden case: an NPY file of version 1, little-endian, in C order.
struct GoldenArray {
  let shape: Shape
  /// Every type the files use fits without loss.
  let values: [Double]

  struct Malformed: Error { let file: String }

  init(file: URL) throws {
    let data = try Data(contentsOf: file)
    guard data.count > 10, data.prefix(6) == Data([0x93] + Array("NUMPY".utf8)), data[6] == 1 else {
      throw Malformed(file: file.path)
    }
    let start = 10 + Int(data[8]) + Int(data[9]) << 8
    let header = String(decoding: data[10..<start], as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr': '([^']+)'/)?.1,
      let extents = header.firstMatch(of: /'shape': \(([^)]*)\)/)?.1,
      header.contains("'fortran_order': False")
    else { throw Malformed(file: file.path) }
    shape = extents.split(separator: ",").compactMap {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    let body = data[start...]
    func read<Element>(_: Element.Type, _ convert: (Element) -> Double) -> [Double] {
      body.withUnsafeBytes { bytes in
        (0..<bytes.count / MemoryLayout<Element>.size).map {
          convert(
            bytes.loadUnaligned(
              fromByteOffset: $0 * MemoryLayout<Element>.size, as: Element.self))
        }
      }
    }
    values =
      switch type {
      case "|u1", "|b1": read(UInt8.self, Double.init)
      case "<u2": read(UInt16.self, Double.init)
      case "<i4": read(Int32.self, Double.init)
      case "<i8": read(Int64.self, Double.init)
      case "<f4": read(Float.self, Double.init)
      case "<f8": read(Double.self) { $0 }
      default: throw Malformed(file: file.path)
      }
    guard values.count == shape.reduce(1, *) else { throw Malformed(file: file.path) }
  }

  var floats: NDArray<Float> { NDArray(shape: shape, elements: values.map { Float($0) }) }
  var doubles: NDArray<Double> { NDArray(shape: shape, elements: values) }
  var labels: NDArray<Int32> { NDArray(shape: shape, elements: values.map { Int32($0) }) }
  var mask: NDArray<Bool> { NDArray(shape: shape, elements: values.map { $0 != 0 }) }
}

extension NDArray<Float> {
  /// Whether every element is within `absolute + relative * |expected|`; NaN equals NaN.
  func isClose(to expected: NDArray<Float>, absolute: Double, relative: Double = 0) -> Bool {
    shape == expected.shape
      && zip(elements, expected.elements).allSatisfy { a, b in
        (a.isNaN && b.isNaN)
          || abs(Double(a) - Double(b)) <= absolute + relative * abs(Double(b))
      }
  }
}

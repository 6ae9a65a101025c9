/// A small image with a bright square, as an NPY file.
enum Picture {
  static func bytes(side: Int) -> [UInt8] {
    let description = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(side), \(side)), }"
    // Magic, version and length take ten bytes; the whole head is a multiple of 64.
    let length = (10 + description.utf8.count + 1 + 63) / 64 * 64 - 10
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes += [UInt8(length & 0xff), UInt8(length >> 8)] + Array(description.utf8)
    bytes += Array(repeating: UInt8(ascii: " "), count: length - description.utf8.count - 1)
    bytes.append(UInt8(ascii: "\n"))
    for row in 0..<side {
      for column in 0..<side {
        let middle = side / 4..<side * 3 / 4
        let value: Float = middle.contains(row) && middle.contains(column) ? 200 : 10
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += Array($0) }
      }
    }
    return bytes
  }
}

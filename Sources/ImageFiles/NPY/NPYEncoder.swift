import Arrays

/// Writes NPY files.
public enum NPYEncoder {
  /// An array as the bytes of an NPY file: version 1, little-endian, row-major.
  public static func encode(_ array: AnyNDArray) -> [UInt8] {
    let header = NPYHeader(dtype: array.dtype, shape: array.shape).encoded
    return [UInt8](unsafeUninitializedCapacity: header.count + array.byteCount) { buffer, count in
      let memory = UnsafeMutableRawBufferPointer(buffer)
      memory.copyBytes(from: header)
      let body = UnsafeMutableRawBufferPointer(rebasing: memory[header.count...])
      array.withUnsafeBytes { body.copyMemory(from: $0) }
      if isBigEndianMachine { swapBytes(in: body, elementSize: array.dtype.size) }
      count = header.count + array.byteCount
    }
  }

  /// An array as the bytes of an NPY file; see ``encode(_:)-(AnyNDArray)``.
  public static func encode<Element>(_ array: NDArray<Element>) -> [UInt8] {
    encode(AnyNDArray(array))
  }
}

let isBigEndianMachine = 1.bigEndian == 1

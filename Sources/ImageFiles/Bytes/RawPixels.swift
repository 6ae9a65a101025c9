import Arrays

/// Reverses the bytes of every element.
func swapBytes(in memory: UnsafeMutableRawBufferPointer, elementSize: Int) {
  func swap<T: FixedWidthInteger>(_ type: T.Type) {
    memory.withMemoryRebound(to: T.self) { values in
      for i in values.indices { values[i] = values[i].byteSwapped }
    }
  }
  switch elementSize {
  case 2: swap(UInt16.self)
  case 4: swap(UInt32.self)
  case 8: swap(UInt64.self)
  default: break
  }
}

extension AnyNDArray {
  /// The same pixels with the first axis, that of planes, moved behind the others.
  var movingFirstAxisLast: AnyNDArray {
    guard rank > 1 else { return self }
    let planes = shape[0]
    let pixels = planes == 0 ? 0 : count / planes
    func interleave<T>(_ type: T.Type, _ output: UnsafeMutableRawBufferPointer) {
      withUnsafeBytes { bytes in
        let input = bytes.assumingMemoryBound(to: T.self)
        let output = output.assumingMemoryBound(to: T.self)
        for plane in 0..<planes {
          for i in 0..<pixels { output[i * planes + plane] = input[plane * pixels + i] }
        }
      }
    }
    return AnyNDArray(dtype: dtype, uninitialized: Array(shape.dropFirst()) + [planes]) { output in
      switch dtype.size {
      case 1: interleave(UInt8.self, output)
      case 2: interleave(UInt16.self, output)
      case 4: interleave(UInt32.self, output)
      default: interleave(UInt64.self, output)
      }
    }
  }
}

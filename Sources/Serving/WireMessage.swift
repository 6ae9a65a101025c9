import Arrays
import CTensorFlowServing

/// Why a function of the shim failed.
package struct ShimError: Error {
  package let code: StatusCode
  package let message: String

  package init(code: StatusCode, message: String) {
    self.code = code
    self.message = message
  }
}

/// Calls a function of the shim and throws what it reports.
package func checked<Result>(
  _ function: (UnsafeMutablePointer<tfs_error>) -> Result
) throws(ShimError) -> Result {
  var error = tfs_error()
  defer { tfs_error_clear(&error) }
  let result = function(&error)
  guard error.code == 0 else {
    throw ShimError(
      code: StatusCode(rawValue: error.code),
      message: error.message.map { String(cString: $0) } ?? "out of memory")
  }
  return result
}

/// One protobuf message as it arrived.
package final class WireMessage: @unchecked Sendable {  // the shim's messages are immutable
  package let handle: OpaquePointer

  package init(owning handle: OpaquePointer) { self.handle = handle }

  /// A recorded message, in pieces of `pieceSize` bytes.
  package convenience init(bytes: [UInt8], pieceSize: Int = 16384) throws(ShimError) {
    let handle = try checked { tfs_message_create(bytes, bytes.count, pieceSize, $0) }
    self.init(owning: handle!)  // set when no error was
  }

  deinit { tfs_message_destroy(handle) }

  package var byteCount: Int { tfs_message_byte_count(handle) }

  package var bytes: [UInt8] {
    Array(unsafeUninitializedCapacity: byteCount) { buffer, count in
      if let base = buffer.baseAddress { tfs_message_copy(handle, base) }
      count = byteCount
    }
  }
}

/// The header of a PredictRequest or PredictResponse; tensors are copied out one by one.
package final class PredictMessage: @unchecked Sendable {  // immutable, as its message
  package let handle: OpaquePointer
  /// Names of the tensors in the order they came in.
  package let names: [String]

  package init(_ message: WireMessage, kind: tfs_predict_kind) throws(ShimError) {
    let handle = try checked { tfs_predict_parse(message.handle, kind, $0) }
    self.handle = handle!  // set when no error was
    names = (0..<tfs_predict_tensor_count(self.handle)).map { [handle = self.handle] index in
      String(cString: tfs_predict_tensor(handle, index).name)
    }
  }

  deinit { tfs_predict_destroy(handle) }

  /// Bytes the tensor takes in memory, checked against what its message claims.
  package func byteCount(at index: Int) throws(ShimError) -> Int {
    try measure(index).byteCount
  }

  private func measure(_ index: Int) throws(ShimError) -> (byteCount: Int, dtype: DType) {
    var elements: Int64 = 0
    var width: Int64 = 0
    _ = try checked { tfs_predict_measure(handle, index, &elements, &width, $0) }
    let type = TensorType(rawValue: tfs_predict_tensor(handle, index).dtype)
    guard let dtype = type.dtype, dtype.size == Int(width) else {
      throw ShimError(
        code: .invalidArgument, message: "tensor \"\(names[index])\" has unsupported type \(type)")
    }
    return (Int(elements * width), dtype)
  }

  /// Copies one tensor into new memory.
  ///
  /// - Parameter budget: bytes this message may still take; lowered by those taken. Checked before
  ///   any memory is.
  package func array(at index: Int, budget: inout Int) throws(ShimError) -> AnyNDArray {
    let (byteCount, dtype) = try measure(index)
    guard byteCount <= budget else {
      throw ShimError(
        code: .outOfRange,
        message: "tensor \"\(names[index])\" of \(byteCount) bytes, \(budget) are allowed")
    }
    budget -= byteCount
    let info = tfs_predict_tensor(handle, index)
    let shape = UnsafeBufferPointer(start: info.shape, count: info.rank).map { Int($0) }
    return try AnyNDArray(dtype: dtype, uninitialized: shape) { buffer throws(ShimError) in
      guard let base = buffer.baseAddress, byteCount > 0 else { return }
      _ = try checked { tfs_predict_copy(handle, index, base, byteCount, $0) }
    }
  }
}

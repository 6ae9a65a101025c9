import Arrays
import CTensorFlowServing

/// Arrays as the tensors a C function takes over, without a copy.
///
/// Each array's storage is retained here and released by gRPC when it no longer reads the memory,
/// which may be after the call has ended. So `body` must hand the tensors to exactly one function
/// that takes them over; pointers to names and shapes are valid inside it only.
package func withLentTensors<Result>(
  _ arrays: [String: AnyNDArray], _ body: (UnsafeBufferPointer<tfs_tensor>) -> Result
) -> Result {
  // Sorted, so that equal requests are equal bytes.
  let sorted = arrays.sorted { $0.key < $1.key }
  return withCStrings(sorted.map(\.key)) { names in
    // All shapes in one block: a pointer into each array's own would not outlive its closure.
    let shapes = sorted.flatMap { $0.value.shape.map(Int64.init) }
    return shapes.withUnsafeBufferPointer { shapes in
      var start = 0
      let tensors = zip(names, sorted).map { name, entry in
        defer { start += entry.value.rank }
        return tensor(name: name, shape: shapes.baseAddress.map { $0 + start }, of: entry.value)
      }
      return tensors.withUnsafeBufferPointer(body)
    }
  }
}

private func tensor(
  name: UnsafePointer<CChar>, shape: UnsafePointer<Int64>?, of array: AnyNDArray
) -> tfs_tensor {
  let owner = Unmanaged.passRetained(array.storage).toOpaque()
  let data = array.storage.bytes.baseAddress.map { UnsafeRawPointer($0 + array.byteOffset) }
  return tfs_tensor(
    name: name, dtype: TensorType(array.dtype).rawValue, shape: shape, rank: array.rank,
    data: data, byte_count: array.byteCount, owner: owner,
    release: { owner in
      if let owner { Unmanaged<ArrayStorage>.fromOpaque(owner).release() }
    })
}

/// Strings as C strings that live for `body`.
package func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafePointer<CChar>]) -> Result
) -> Result {
  var bytes: [CChar] = []
  var starts: [Int] = []
  for string in strings {
    starts.append(bytes.count)
    bytes.append(contentsOf: string.utf8.lazy.map { CChar(bitPattern: $0) })
    bytes.append(0)
  }
  return bytes.withUnsafeBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return body([]) }
    return body(starts.map { base + $0 })
  }
}

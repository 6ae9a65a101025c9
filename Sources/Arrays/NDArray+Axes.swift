extension NDArray {
  /// The elements with their axes in another order: axis `i` of the result is axis `order[i]`.
  @inlinable public func transposed(_ order: [Int]) -> NDArray {
    precondition(order.sorted() == Array(0..<rank), "\(order) does not order \(rank) axes")
    let source = shape.strides
    let outShape = order.map { shape[$0] }
    let outStrides = order.map { source[$0] }
    if order == Array(0..<rank) { return self }
    return NDArray(uninitialized: outShape) { output in
      withUnsafeBuffer { input in
        guard !input.isEmpty else { return }
        let innerExtent = outShape[rank - 1]
        let innerStride = outStrides[rank - 1]
        var index = Array(repeating: 0, count: rank)
        var from = 0
        var to = 0
        while to < output.count {
          var position = from
          for _ in 0..<innerExtent {
            output[to] = input[position]
            to += 1
            position += innerStride
          }
          var axis = rank - 2
          while axis >= 0 {
            index[axis] += 1
            from += outStrides[axis]
            if index[axis] < outShape[axis] { break }
            from -= outStrides[axis] * outShape[axis]
            index[axis] = 0
            axis -= 1
          }
        }
      }
    }
  }

  /// The elements with axis `source` moved to position `destination`, the others in order.
  @inlinable public func movingAxis(_ source: Int, to destination: Int) -> NDArray {
    var order = Array(0..<rank)
    order.insert(order.remove(at: source), at: destination)
    return transposed(order)
  }

  /// The elements with two axes exchanged.
  @inlinable public func swappingAxes(_ a: Int, _ b: Int) -> NDArray {
    var order = Array(0..<rank)
    order.swapAt(a, b)
    return transposed(order)
  }

  /// Entries of the last axis, in the order given; without a copy if that is how they are.
  @inlinable public func selectingChannels(_ channels: [Int]) -> NDArray {
    precondition(rank > 0 && channels.allSatisfy { (0..<shape[rank - 1]).contains($0) })
    let available = shape[rank - 1]
    if channels == Array(0..<available) { return self }
    return NDArray(uninitialized: shape.dropLast() + [channels.count]) { output in
      withUnsafeBuffer { input in
        var to = 0
        for from in stride(from: 0, to: input.count, by: available) {
          for channel in channels {
            output[to] = input[from + channel]
            to += 1
          }
        }
      }
    }
  }

  /// One entry of the last axis, copied: `[..., channel]` without that axis.
  @inlinable public func channel(_ index: Int) -> NDArray {
    precondition(rank > 0 && index >= 0 && index < shape[rank - 1])
    let channels = shape[rank - 1]
    let outShape = Array(shape.dropLast())
    if channels == 1 { return viewed(as: outShape) }
    return NDArray(uninitialized: outShape) { output in
      withUnsafeBuffer { input in
        var position = index
        for i in output.indices {
          output[i] = input[position]
          position += channels
        }
      }
    }
  }
}

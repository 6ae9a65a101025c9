import Arrays
import Testing

@Suite struct AnyNDArrayTests {
  @Test func `an erased array comes back as its own type without a copy`() throws {
    let a = NDArray<UInt16>(shape: [2, 2], elements: [1, 2, 3, 65535])
    let erased = AnyNDArray(a.slice(1..<2))
    #expect(erased.dtype == .uint16)
    #expect(erased.byteCount == 4)
    let back = try #require(erased.typed(as: UInt16.self))
    #expect(back.elements == [3, 65535])
    #expect(erased.typed(as: Float.self) == nil)
    #expect(erased.asFloat.elements == [3, 65535])
  }

  @Test func `floats become integers by truncation within range`() {
    let a = AnyNDArray(NDArray<Double>(shape: [5], elements: [1.9, -1.9, 1e9, -.infinity, .nan]))
    #expect(a.converted(to: Int16.self).elements == [1, -1, .max, .min, 0])
    #expect(a.converted(to: UInt8.self).elements == [1, 0, 255, 0, 0])
  }

  @Test func `entries of the first axis are cut without a copy and joined again`() throws {
    let whole = AnyNDArray(NDArray<Int16>(shape: [5, 2], elements: Array(0..<10)))
    let parts = [0..<2, 2..<2, 2..<5].map(whole.slice)
    #expect(parts.map(\.shape) == [[2, 2], [0, 2], [3, 2]])
    #expect(parts[2].slice(1..<2).typed(as: Int16.self)?.elements == [6, 7])
    let joined = try AnyNDArray.concatenated(parts)
    #expect(joined.typed(as: Int16.self) == whole.typed(as: Int16.self))
    let other = AnyNDArray(NDArray<Int16>(shape: [5, 3]))
    #expect(throws: ArrayError.self) { try AnyNDArray.concatenated([whole, other]) }

    let typed = try parts.map { try #require($0.typed(as: Int16.self)) }
    #expect(try .concatenated(typed) == whole.typed(as: Int16.self))
    #expect(try NDArray.concatenated([typed[2]]) == typed[2])
    #expect(throws: ArrayError.self) {
      try NDArray.concatenated([typed[0], NDArray<Int16>(shape: [5, 3])])
    }
    #expect(throws: ArrayError.self) {
      try NDArray.concatenated([typed[0], NDArray<Int16>(shape: [])])
    }
  }

  @Test(arguments: DType.allCases) func `every type converts zero and one to float`(dtype: DType) {
    let zeros = AnyNDArray(dtype: dtype, uninitialized: [3]) {
      $0.initializeMemory(as: UInt8.self, repeating: 0)
    }
    #expect(zeros.asFloat.elements == [0, 0, 0])
    #expect(zeros.byteCount == 3 * dtype.size)
  }
}

import Arrays
import TestSupport
import Testing

@Suite struct NDArrayTests {
  @Test func `a copy is not changed by writing to the original`() {
    var a = NDArray<Int32>(shape: [2, 3], elements: 0..<6)
    let b = a
    a[1, 2] = 9
    #expect(a[1, 2] == 9)
    #expect(b[1, 2] == 5)
  }

  @Test func `a slice shares values and copies only what it writes`() {
    let a = NDArray<Float>(shape: [3, 2], elements: (0..<6).map(Float.init))
    var row = a.slice(1)
    #expect(row.shape == [2])
    #expect(row.elements == [2, 3])
    row[0] = 7
    #expect(row.elements == [7, 3])
    #expect(a[1, 0] == 2)
    #expect(a.slice(1..<3).elements == [2, 3, 4, 5])
  }

  @Test func `moving an axis keeps each element at its index`() {
    let a = NDArray<Int32>(shape: [2, 3, 4], elements: 0..<24)
    let b = a.movingAxis(2, to: 0)
    #expect(b.shape == [4, 2, 3])
    for i in 0..<2 {
      for j in 0..<3 { for k in 0..<4 { #expect(b[k, i, j] == a[i, j, k]) } }
    }
    #expect(b.movingAxis(0, to: 2) == a)
    #expect(a.swappingAxes(0, 2)[3, 2, 1] == a[1, 2, 3])
  }

  @Test(arguments: 0..<50) func `a transposition and its inverse give the array back`(seed: Int) {
    var random = SeededGenerator(seed: seed)
    let shape = (0..<Int.random(in: 1...5, using: &random)).map { _ in
      Int.random(in: 1...4, using: &random)
    }
    let order = Array(shape.indices).shuffled(using: &random)
    var inverse = order
    for (to, from) in order.enumerated() { inverse[from] = to }
    let a = NDArray<UInt16>(
      shape: shape, elements: (0..<shape.reduce(1, *)).map { UInt16($0) })
    #expect(a.transposed(order).transposed(inverse) == a)
    #expect(a.transposed(order).shape == order.map { shape[$0] })
  }

  @Test func `one channel is picked out of the last axis`() {
    let a = NDArray<Int32>(shape: [2, 2, 3], elements: 0..<12)
    #expect(a.channel(1) == NDArray(shape: [2, 2], elements: [1, 4, 7, 10]))
    #expect(a.slice(1).channel(2).elements == [8, 11])
    let single = NDArray<Int32>(shape: [2, 2, 1], elements: 0..<4)
    #expect(single.slice(1..<2).channel(0) == NDArray(shape: [1, 2], elements: [2, 3]))
  }

  @Test func `a view with another number of elements is refused with both shapes`() {
    let a = NDArray<Float>(shape: [2, 3])
    let error = #expect(throws: ArrayError.self) { try a.reshaped(to: [7]) }
    #expect(error?.description == "cannot view shape (2, 3) as (7,)")
  }

  @Test func `arrays without elements and scalars are arrays`() {
    #expect(NDArray<Float>(shape: [0, 4]).elements == [])
    #expect(NDArray<Float>(shape: [], repeating: 3)[] == 3)
    #expect(NDArray<Float>(shape: [0, 4]).transposed([1, 0]).shape == [4, 0])
  }

  @Test func `a large array begins on a huge page`() {
    let a = NDArray<Float>(shape: [1024, 1024])
    a.withUnsafeBuffer { #expect(UInt(bitPattern: $0.baseAddress) % (2 << 20) == 0) }
  }
}

/// A dense row-major array of any rank.
///
/// A value: copies share memory until one is written. Inner loops take the memory once, by
/// ``withUnsafeBuffer(_:)`` or ``withUnsafeMutableBuffer(_:)``, and index it themselves.
public struct NDArray<Element: ArrayElement>: Sendable {
  /// Extents, slowest axis first; `[]` is a scalar.
  public private(set) var shape: Shape
  /// Elements in all.
  public let count: Int
  private var storage: ArrayStorage
  /// First element of this array in the storage, for arrays that are a slice of another.
  private let offset: Int

  public var rank: Int { shape.count }
  public static var dtype: DType { Element.dtype }

  // MARK: Making

  /// An array of zeros.
  public init(shape: Shape) {
    self.init(shape: shape, storage: ArrayStorage(byteCount: Self.byteCount(of: shape)), offset: 0)
    storage.bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  @inlinable public init(shape: Shape, repeating value: Element) {
    self.init(uninitialized: shape) { $0.update(repeating: value) }
  }

  /// An array whose memory `fill` must write completely.
  public init<E: Error>(
    uninitialized shape: Shape, fill: (UnsafeMutableBufferPointer<Element>) throws(E) -> Void
  ) throws(E) {
    self.init(shape: shape, storage: ArrayStorage(byteCount: Self.byteCount(of: shape)), offset: 0)
    try fill(mutableBuffer)
  }

  /// An array of `elements` in row-major order; their number must fit the shape.
  public init(shape: Shape, elements: some Collection<Element>) {
    self.init(uninitialized: shape) { buffer in
      precondition(
        elements.count == buffer.count, "\(elements.count) elements for shape \(shape)")
      _ = buffer.update(fromContentsOf: elements)
    }
  }

  package init(shape: Shape, storage: ArrayStorage, offset: Int) {
    self.shape = shape
    self.count = Self.byteCount(of: shape) / MemoryLayout<Element>.stride
    precondition(
      (offset + count) * MemoryLayout<Element>.stride <= storage.bytes.count,
      "shape \(shape) does not fit its storage")
    self.storage = storage
    self.offset = offset
  }

  private static func byteCount(of shape: Shape) -> Int {
    guard let count = shape.checkedElementCount,
      case (let bytes, let overflow) = count.multipliedReportingOverflow(
        by: MemoryLayout<Element>.stride), !overflow
    else { preconditionFailure("impossible shape \(shape)") }
    return bytes
  }

  // MARK: Memory

  private var mutableBuffer: UnsafeMutableBufferPointer<Element> {
    let start = storage.bytes.baseAddress!.assumingMemoryBound(to: Element.self)
    return UnsafeMutableBufferPointer(start: start + offset, count: count)
  }

  /// Reads all elements in row-major order; the pointer is valid inside `body` only.
  public func withUnsafeBuffer<Result, E: Error>(
    _ body: (UnsafeBufferPointer<Element>) throws(E) -> Result
  ) throws(E) -> Result {
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeBufferPointer(mutableBuffer))
  }

  /// Writes elements in place; memory shared with another array is copied first.
  public mutating func withUnsafeMutableBuffer<Result, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(E) -> Result
  ) throws(E) -> Result {
    if !isKnownUniquelyReferenced(&storage) { self = copy() }
    defer { withExtendedLifetime(storage) {} }
    return try body(mutableBuffer)
  }

  private func copy() -> NDArray {
    NDArray(uninitialized: shape) { buffer in _ = buffer.update(fromContentsOf: mutableBuffer) }
  }

  /// The memory and where this array begins in it, for code that keeps the storage alive itself.
  package var backing: (storage: ArrayStorage, byteOffset: Int) {
    (storage, offset * MemoryLayout<Element>.stride)
  }

  // MARK: Elements

  /// One element. Convenient, checked and slow: not for loops over pixels.
  public subscript(index: Int...) -> Element {
    get { mutableBuffer[position(of: index)] }
    set {
      let position = position(of: index)
      withUnsafeMutableBuffer { $0[position] = newValue }
    }
  }

  private func position(of index: [Int]) -> Int {
    precondition(index.count == rank, "index \(index) for shape \(shape)")
    var position = 0
    for (i, extent) in zip(index, shape) {
      precondition(i >= 0 && i < extent, "index \(index) outside shape \(shape)")
      position = position * extent + i
    }
    return position
  }

  /// All elements in row-major order.
  @inlinable public var elements: [Element] { withUnsafeBuffer { Array($0) } }

  // MARK: Shapes that cost nothing

  /// The same elements under another shape.
  ///
  /// - Throws: ``ArrayError`` when the number of elements differs.
  public func reshaped(to shape: Shape) throws(ArrayError) -> NDArray {
    guard shape.checkedElementCount == count else {
      throw ArrayError(
        .shapeMismatch,
        "cannot view shape \(self.shape.tupleDescription) as \(shape.tupleDescription)")
    }
    return viewed(as: shape)
  }

  @usableFromInline func viewed(as shape: Shape) -> NDArray {
    var view = self
    view.shape = shape
    return view
  }

  /// The same elements with an axis of length 1 inserted before `axis`.
  public func expandingDimensions(at axis: Int) -> NDArray {
    var shape = shape
    shape.insert(1, at: axis)
    return viewed(as: shape)
  }

  /// The same elements without the axes of length 1.
  public func squeezed() -> NDArray { viewed(as: shape.filter { $0 != 1 }) }

  /// Entries of the first axis, sharing memory: `[n, ...]`.
  public func slice(_ range: Range<Int>) -> NDArray {
    precondition(rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0])
    let step = shape[0] == 0 ? 0 : count / shape[0]
    return NDArray(
      shape: [range.count] + shape.dropFirst(), storage: storage,
      offset: offset + range.lowerBound * step)
  }

  /// Arrays one after the other along the first axis; without a copy if there is one only.
  ///
  /// - Parameter arrays: at least one; `[n, ...]`, where only `n` may differ.
  /// - Throws: ``ArrayError`` when ranks or the other extents differ.
  public static func concatenated(_ arrays: [NDArray]) throws(ArrayError) -> NDArray {
    precondition(!arrays.isEmpty, "nothing to concatenate")
    let first = arrays[0]
    if arrays.count == 1 { return first }
    for array in arrays where array.rank == 0 || array.shape.dropFirst() != first.shape.dropFirst()
    {
      throw ArrayError(.shapeMismatch, "cannot join \(first) and \(array)")
    }
    let rows = arrays.reduce(0) { $0 + $1.shape[0] }
    return NDArray(uninitialized: [rows] + first.shape.dropFirst()) { output in
      var start = 0
      for array in arrays {
        start = array.withUnsafeBuffer { output[start...].update(fromContentsOf: $0) }
      }
    }
  }

  /// One entry of the first axis without that axis, sharing memory.
  public func slice(_ index: Int) -> NDArray {
    slice(index..<index + 1).viewed(as: Array(shape.dropFirst()))
  }
}

extension NDArray: Equatable {
  public static func == (a: NDArray, b: NDArray) -> Bool {
    a.shape == b.shape
      && a.withUnsafeBuffer { x in b.withUnsafeBuffer { y in x.elementsEqual(y) } }
  }
}

extension NDArray: CustomStringConvertible {
  public var description: String { "\(Element.dtype)\(shape.tupleDescription)" }
}

import Arrays

/// Reads NPY files of versions 1 to 3.
enum NPYDecoder {
  static func recognizes(_ start: [UInt8]) -> Bool {
    start.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59])
  }

  /// The array in the shape it was saved with, in row-major order.
  static func decode(_ source: ByteSource, limits: DecodingLimits) throws(ImageFileError)
    -> DecodedImage
  {
    try decode(source, size: source.size, limits: limits)
  }

  /// The array that `stream` has next.
  ///
  /// - Parameter size: bytes of the file that begins there.
  static func decode(
    _ stream: any ByteStream, size: Int, limits: DecodingLimits
  ) throws(ImageFileError) -> DecodedImage {
    let (header, start) = try header(of: stream)
    let pixels = try elements(header, of: stream, left: size - start, limits)
    return DecodedImage(
      pixels: pixels, format: .npy, axes: String(repeating: "Q", count: pixels.rank))
  }

  /// - Returns: the header, and how many bytes it has.
  private static func header(
    of stream: any ByteStream
  ) throws(ImageFileError) -> (NPYHeader, Int) {
    func damaged(_ reason: String) -> ImageFileError {
      ImageFileError(
        .damaged, file: stream.name, reason, advice: "save it again with numpy.save")
    }
    var start = try stream.next(10)
    guard recognizes(start), start.count == 10 else {
      throw damaged("is not a NumPy array file")
    }
    let isLong = start[6] == 2 || start[6] == 3
    guard start[6] == 1 || isLong else {
      throw ImageFileError(
        .unsupported, file: stream.name,
        "is a NumPy array file of version \(start[6]).\(start[7]), which is not known",
        advice: "save it with numpy.save")
    }
    if isLong { start += try stream.next(2) }
    guard start.count == (isLong ? 12 : 10) else { throw damaged("ends within its header") }
    let length = start[8...].reversed().reduce(0) { $0 << 8 | Int($1) }
    // NumPy itself takes at most 10000 characters.
    guard length <= 10_000 else { throw damaged("has a NumPy header that is too long") }
    let text = try stream.next(length)
    guard text.count == length else { throw damaged("ends within its header") }
    do {
      return (try NPYHeader(parsing: text), start.count + length)
    } catch {
      switch error {
      case .malformed: throw damaged("has a NumPy header that cannot be understood")
      case .unsupportedType(let type):
        throw ImageFileError(
          .unsupported, file: stream.name,
          "holds elements of the NumPy type \(type.forDisplay), not real numbers",
          advice: "convert it with astype('float32') and save it again")
      }
    }
  }

  private static func elements(
    _ header: NPYHeader, of stream: any ByteStream, left: Int, _ limits: DecodingLimits
  ) throws(ImageFileError) -> AnyNDArray {
    guard let bytes = (header.shape + [header.dtype.size]).checkedElementCount else {
      throw ImageFileError(.damaged, file: stream.name, "has an impossible shape")
    }
    try limits.check(decoded: bytes, unpacked: 0, stored: left, of: stream.name)
    guard bytes <= left else {
      throw ImageFileError(
        .damaged, file: stream.name,
        "should hold \(bytes.asByteCount) of numbers but has only \(max(left, 0).asByteCount)",
        advice: "it is cut off; send it again")
    }
    let stored = header.isFortranOrder ? header.shape.reversed() : header.shape
    let array = try AnyNDArray(dtype: header.dtype, uninitialized: stored) {
      (memory) throws(ImageFileError) in
      try stream.readAll(into: memory)
      if header.isBigEndian { swapBytes(in: memory, elementSize: header.dtype.size) }
      // Any other byte than 0 and 1 would not be a Bool.
      if header.dtype == .bool {
        for i in memory.indices where memory[i] > 1 { memory[i] = 1 }
      }
    }
    return header.isFortranOrder ? array.reversingAxes : array
  }
}

extension AnyNDArray {
  /// The same elements with the order of all axes reversed.
  fileprivate var reversingAxes: AnyNDArray {
    func reverse<Element: ArrayElement>(_ type: Element.Type) -> AnyNDArray? {
      typed(as: type).map { AnyNDArray($0.transposed(Array((0..<rank).reversed()))) }
    }
    let reversed =
      switch dtype {
      case .bool: reverse(Bool.self)
      case .uint8: reverse(UInt8.self)
      case .int8: reverse(Int8.self)
      case .uint16: reverse(UInt16.self)
      case .int16: reverse(Int16.self)
      case .uint32: reverse(UInt32.self)
      case .int32: reverse(Int32.self)
      case .uint64: reverse(UInt64.self)
      case .int64: reverse(Int64.self)
      case .float16: reverse(Float16.self)
      case .float32: reverse(Float.self)
      case .float64: reverse(Double.self)
      }
    return reversed ?? self
  }
}

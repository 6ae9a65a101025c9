import Arrays

/// Saves label images as TIFF files.
public enum LabelFiles {
  /// Refuses a name under which ``save(_:name:in:)-(AnyNDArray,_,_)`` could not save an array of up
  /// to ten channels.
  public static func check(name: String) throws(ImageFileError) {
    do {
      _ = try FolderFile.fileComponents(of: fileName(name, channel: 0))
    } catch {
      throw ImageFileError(error.code, file: name, error.reason, advice: error.advice)
    }
  }

  private static func fileName(_ name: String, channel: Int) -> String {
    let suffix = "feature_\(channel).tif"
    return name.isEmpty || name.hasSuffix("/") ? name + suffix : "\(name)_\(suffix)"
  }

  /// Writes each channel of an array into a file of its own.
  ///
  /// - Parameters:
  ///   - array: `[row, column]` or `[..., row, column, channel]`; converted to `Float`, which is
  ///     exact up to 2^24 labels.
  ///   - name: of the image; may begin with folders, which are created. The files are called
  ///     `<name>_feature_<channel>.tif`, or `feature_<channel>.tif` without a name.
  ///   - folder: exists; nothing is written outside of it.
  /// - Returns: the paths of the files, channels in order.
  /// - Throws: ``ImageFileError`` when the array has no rows and columns or a file cannot be
  ///   written.
  /// - Source: `save_numpy_array` of the Python service, except that a failure ends the job there
  ///   with the other channels only.
  public static func save(
    _ array: AnyNDArray, name: String, in folder: String
  ) throws(ImageFileError) -> [String] {
    let (shape, channels) = try layout(of: array, name: name)
    let layout = LabelTIFF(shape: shape)
    var paths: [String] = []
    for channel in 0..<channels {
      let file = try FolderFile(creating: fileName(name, channel: channel), in: folder)
      try file.write(layout.head)
      try forEachBlock(of: array, channel: channel, channels: channels) {
        (bytes) throws(ImageFileError) in try file.write(bytes)
      }
      try file.write(layout.tail)
      paths.append(file.finish())
    }
    return paths
  }

  /// Writes bytes into a file.
  ///
  /// - Parameters:
  ///   - name: may begin with folders, which are created.
  ///   - folder: exists; nothing is written outside of it.
  /// - Returns: the path of the file.
  /// - Throws: ``ImageFileError`` when the name cannot be one, or the file cannot be written.
  public static func save(
    _ bytes: [UInt8], name: String, in folder: String
  ) throws(ImageFileError) -> String {
    let file = try FolderFile(creating: name, in: folder)
    try file.write(bytes)
    return file.finish()
  }

  /// Writes each channel of an array into a file of its own; see
  /// ``save(_:name:in:)-(AnyNDArray,_,_)``.
  public static func save<Element>(
    _ array: NDArray<Element>, name: String, in folder: String
  ) throws(ImageFileError) -> [String] {
    try save(AnyNDArray(array), name: name, in: folder)
  }

  /// One channel as the bytes of a file, for results that never touch a disk.
  ///
  /// - Parameters:
  ///   - array: as for ``save(_:name:in:)-(AnyNDArray,_,_)``.
  ///   - channel: index of the last axis; 0 for `[row, column]`.
  public static func encode(_ array: AnyNDArray, channel: Int) throws(ImageFileError) -> [UInt8] {
    let (shape, channels) = try layout(of: array, name: "the label image")
    precondition((0..<channels).contains(channel), "channel \(channel) of \(channels)")
    let layout = LabelTIFF(shape: shape)
    let count = layout.head.count + shape.reduce(4, *) + layout.tail.count
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      func append(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(buffer)[filled...].copyBytes(from: bytes)
        filled += bytes.count
      }
      layout.head.withUnsafeBytes(append)
      forEachBlock(of: array, channel: channel, channels: channels, append)
      layout.tail.withUnsafeBytes(append)
    }
  }

  private static func layout(of array: AnyNDArray, name: String) throws(ImageFileError)
    -> (shape: Shape, channels: Int)
  {
    let shape = array.rank == 2 ? array.shape + [1] : array.shape
    guard shape.count >= 3, array.count > 0 else {
      throw ImageFileError(
        .unsupportedArray, file: name,
        "cannot be saved as an image: the result has shape \(array.shape.tupleDescription)")
    }
    return (Array(shape.dropLast()), shape[shape.count - 1])
  }

  /// Hands out the pixels of a channel as little-endian `Float`, in blocks that fit the cache.
  private static func forEachBlock<E: Error>(
    of array: AnyNDArray, channel: Int, channels: Int,
    _ body: (UnsafeRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    func convert<Element: ArrayElement>(
      _ type: Element.Type, _ toFloat: (Element) -> Float
    ) throws(E) {
      try forEachBlock(of: array, channel: channel, channels: channels, toFloat, body)
    }
    switch array.dtype {
    case .bool: try convert(Bool.self) { $0 ? 1 : 0 }
    case .uint8: try convert(UInt8.self) { Float($0) }
    case .int8: try convert(Int8.self) { Float($0) }
    case .uint16: try convert(UInt16.self) { Float($0) }
    case .int16: try convert(Int16.self) { Float($0) }
    case .uint32: try convert(UInt32.self) { Float($0) }
    case .int32: try convert(Int32.self) { Float($0) }
    case .uint64: try convert(UInt64.self) { Float($0) }
    case .int64: try convert(Int64.self) { Float($0) }
    case .float16: try convert(Float16.self) { Float($0) }
    case .float64: try convert(Double.self) { Float($0) }
    case .float32:
      if channels == 1 && !isBigEndianMachine { return try array.withUnsafeBytes(body) }
      try convert(Float.self) { $0 }
    }
  }

  private static func forEachBlock<Element: ArrayElement, E: Error>(
    of array: AnyNDArray, channel: Int, channels: Int, _ toFloat: (Element) -> Float,
    _ body: (UnsafeRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    let blockSize = 64 << 10
    let scratch = ArrayStorage(byteCount: blockSize * 4)
    let block = scratch.bytes.assumingMemoryBound(to: Float.self)
    try array.withUnsafeBytes { (bytes) throws(E) in
      let pixels = bytes.assumingMemoryBound(to: Element.self)
      var next = channel
      while next < pixels.count {
        let count = min(blockSize, (pixels.count - next + channels - 1) / channels)
        for i in 0..<count { block[i] = toFloat(pixels[next + i * channels]) }
        next += count * channels
        let filled = UnsafeMutableRawBufferPointer(rebasing: scratch.bytes[..<(count * 4)])
        if isBigEndianMachine { swapBytes(in: filled, elementSize: 4) }
        try body(UnsafeRawBufferPointer(filled))
      }
    }
  }
}

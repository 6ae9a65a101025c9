/// Bytes that come one after the other.
protocol ByteStream: AnyObject {
  /// The name shown in messages.
  var name: String { get }

  /// Copies the next bytes; fewer than asked for only at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImageFileError) -> Int
}

extension ByteStream {
  /// Fills `buffer` completely, in pieces, so that a cancelled job ends soon.
  func readAll(into buffer: UnsafeMutableRawBufferPointer) throws(ImageFileError) {
    let piece = 8 << 20
    for start in stride(from: 0, to: buffer.count, by: piece) {
      try checkCancellation()
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[start..<min(start + piece, buffer.count)])
      guard try read(into: part) == part.count else {
        throw ImageFileError(
          .damaged, file: name, "ends too early", advice: "it is cut off; send it again")
      }
    }
  }

  /// The next bytes; fewer than asked for only at the end.
  func next(_ count: Int) throws(ImageFileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let result = bytes.withUnsafeMutableBytes { buffer in
      Result { () throws(ImageFileError) in try read(into: buffer) }
    }
    return Array(bytes.prefix(try result.get()))
  }

  /// Passes over bytes.
  ///
  /// - Returns: how many there were.
  func skip(_ count: Int) throws(ImageFileError) -> Int {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { block.deallocate() }
    var done = 0
    while done < count {
      try checkCancellation()
      let part = UnsafeMutableRawBufferPointer(rebasing: block[..<min(block.count, count - done)])
      let read = try read(into: part)
      done += read
      if read < part.count { break }
    }
    return done
  }

  func checkCancellation() throws(ImageFileError) {
    if Task.isCancelled { throw .cancelled(name) }
  }
}

extension ByteSource: ByteStream {
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int { readNext(into: buffer) }
}

extension ImageFileError {
  static func cancelled(_ file: String) -> ImageFileError {
    ImageFileError(.cancelled, file: file, "was not read to its end: the work was cancelled")
  }
}

import CTIFF

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An open TIFF file: owns libtiff's handle and what its callbacks use.
///
/// Not `Sendable`: libtiff's handles belong to one thread at a time.
final class TIFFHandle {
  let source: ByteSource
  let tiff: OpaquePointer
  /// Compressed bytes that blocks may still claim to have; blocks may share some, but not all.
  var unreadBytes: Int
  private let message: UnsafeMutablePointer<tfs_tiff_message>

  init(_ source: ByteSource, limits: DecodingLimits) throws(ImageFileError) {
    self.source = source
    unreadBytes = limits.mostBytesRead(of: source.size)
    message = .allocate(capacity: 1)
    message.initialize(to: tfs_tiff_message())
    let context = Unmanaged.passUnretained(source).toOpaque()
    guard
      let tiff = tfs_tiff_open(
        context, readCallback, seekCallback, sizeCallback,
        tmsize_t(max(limits.freeExpansion, min(source.size, limits.bytes))), message)
    else {
      let reason = String(cString: tfs_tiff_message_text(message))
      message.deallocate()
      try source.checkCancellation()
      throw ImageFileError(
        .damaged, file: source.name,
        "has a damaged TIFF header" + (reason.isEmpty ? "" : " (\(reason.forDisplay))"),
        advice: "save or export it again")
    }
    self.tiff = tiff
  }

  deinit {
    TIFFClose(tiff)
    message.deallocate()
  }

  /// Forgets earlier errors, so that ``failure(_:)`` tells about what follows.
  func forgetMessage() { message.pointee = tfs_tiff_message() }

  /// An error with libtiff's own words in brackets.
  func failure(_ reason: String, code: ImageFileError.Code = .damaged) -> ImageFileError {
    if let cancelled = source.cancellation { return cancelled }
    let detail = String(cString: tfs_tiff_message_text(message))
    return ImageFileError(
      code, file: source.name, detail.isEmpty ? reason : "\(reason) (\(detail.forDisplay))",
      advice: "save or export it again")
  }
}

private func source(_ context: thandle_t?) -> ByteSource? {
  context.map { Unmanaged<ByteSource>.fromOpaque($0).takeUnretainedValue() }
}

private let readCallback: TIFFReadWriteProc = { context, buffer, count in
  guard let source = source(context), let buffer, count >= 0 else { return -1 }
  guard source.cancellation == nil else { return -1 }
  return tmsize_t(
    source.readNext(into: UnsafeMutableRawBufferPointer(start: buffer, count: Int(count))))
}

private let seekCallback: TIFFSeekProc = { context, offset, origin in
  guard let source = source(context) else { return .max }
  let base =
    switch origin {
    case SEEK_CUR: source.position
    case SEEK_END: source.size
    default: 0
    }
  // A hostile offset may be anything; beyond the end nothing can be read.
  let (target, overflow) = base.addingReportingOverflow(Int(truncatingIfNeeded: offset))
  guard !overflow, target >= 0 else { return .max }
  source.position = target
  return toff_t(target)
}

private let sizeCallback: TIFFSizeProc = { context in toff_t(source(context)?.size ?? 0) }

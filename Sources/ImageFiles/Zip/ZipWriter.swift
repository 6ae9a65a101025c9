import CDeflate
import CZip

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Writes zip archives.
public enum ZipWriter {
  /// Members up to this size are compressed as a whole by libdeflate, larger ones by zlib as they
  /// are read.
  static let largestWhole = 64 << 20
  /// On label images libdeflate's level 3 is 2.5 to 2.7 times as fast as zlib's level 6, for 1.15
  /// to 1.28 times the size.
  private static let wholeLevel: Int32 = 3
  private static let streamLevel: UInt32 = 4

  /// Writes an archive of the entries in their order, replacing a file at `path`.
  ///
  /// Members are deflated and have mode 0644.
  ///
  /// - Parameters:
  ///   - name: of the archive, for messages.
  ///   - modified: time stamp of all members, in seconds since 1970; nil is now.
  /// - Throws: ``ImageFileError`` when a file cannot be read, two entries have one name, or the
  ///   archive cannot be written.
  public static func write(
    _ entries: [ZipEntry], to path: String, name: String, modified: Int? = nil
  ) throws(ImageFileError) {
    try write(entries, to: path, name: name, modified: modified, largestWhole: largestWhole)
  }

  static func write(
    _ entries: [ZipEntry], to path: String, name: String, modified: Int?, largestWhole: Int
  ) throws(ImageFileError) {
    // libzip removes an archive that ends up without members.
    guard !entries.isEmpty else { return try writeEmpty(to: path, name: name) }
    let archive = try Archive(path: path, name: name)
    let modified = modified ?? time(nil)
    for entry in entries {
      try archive.add(entry, modified: modified, largestWhole: largestWhole)
    }
    try archive.close()
  }

  private static func writeEmpty(to path: String, name: String) throws(ImageFileError) {
    let endOfDirectory: [UInt8] = [0x50, 0x4B, 5, 6] + Array(repeating: 0, count: 18)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor >= 0,
      endOfDirectory.withUnsafeBytes({ writeFully($0, to: descriptor) })
    else { throw ImageFileError(.notWritten, file: name, "cannot be written: \(errnoText)") }
  }

  /// Owns libzip's handle of an archive being written.
  private final class Archive {
    private var handle: OpaquePointer?
    private let name: String

    init(path: String, name: String) throws(ImageFileError) {
      self.name = name
      var code: Int32 = 0
      handle = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code)
      guard handle != nil else {
        throw ImageFileError(.notWritten, file: name, "cannot be written: \(zipText(code))")
      }
    }

    deinit { if let handle { zip_discard(handle) } }

    func add(_ entry: ZipEntry, modified: Int, largestWhole: Int) throws(ImageFileError) {
      _ = try FolderFile.components(of: entry.name)
      let (source, isWhole) = try source(of: entry, largestWhole: largestWhole)
      let added = zip_file_add(handle, entry.name, source, UInt32(ZIP_FL_ENC_UTF_8))
      guard added >= 0 else {
        zip_source_free(source)
        throw failure("\(entry.name.forDisplay) cannot be added: \(zipText(zip_get_error(handle)))")
      }
      let index = UInt64(added)
      guard
        zip_set_file_compression(
          handle, index, isWhole ? ZIP_CM_DEFAULT : ZIP_CM_DEFLATE, streamLevel) == 0,
        zip_file_set_external_attributes(
          handle, index, 0, UInt8(ZIP_OPSYS_UNIX), UInt32(0o100644) << 16) == 0,
        zip_file_set_mtime(handle, index, modified, 0) == 0
      else {
        throw failure("\(entry.name.forDisplay) cannot be added: \(zipText(zip_get_error(handle)))")
      }
    }

    func close() throws(ImageFileError) {
      guard zip_close(handle) == 0 else {
        throw failure("cannot be written: \(zipText(zip_get_error(handle)))")
      }
      handle = nil
    }

    private func source(of entry: ZipEntry, largestWhole: Int) throws(ImageFileError)
      -> (OpaquePointer, isWhole: Bool)
    {
      switch entry.content {
      case .bytes(let bytes):
        return (try wholeSource(.bytes(bytes), entry), true)
      case .file(let path):
        let file = try ByteSource(path: path, name: entry.name)
        if file.size <= largestWhole { return (try wholeSource(.file(path), entry), true) }
        guard let source = zip_source_file(handle, path, 0, -1) else {
          throw failure("cannot be written: \(zipText(zip_get_error(handle)))")
        }
        return (source, false)
      }
    }

    private func wholeSource(_ content: WholeMember.Content, _ entry: ZipEntry)
      throws(ImageFileError) -> OpaquePointer
    {
      let member = WholeMember(content, level: ZipWriter.wholeLevel)
      let context = Unmanaged.passRetained(member)
      guard let source = zip_source_function(handle, wholeMemberCallback, context.toOpaque())
      else {
        context.release()
        throw failure("cannot be written: \(zipText(zip_get_error(handle)))")
      }
      return source
    }

    private func failure(_ reason: String) -> ImageFileError {
      ImageFileError(.notWritten, file: name, reason)
    }
  }
}

/// libzip's text for an error code.
func zipText(_ code: Int32) -> String {
  var error = zip_error_t()
  zip_error_init_with_code(&error, code)
  defer { zip_error_fini(&error) }
  return zipText(&error)
}

func zipText(_ error: UnsafeMutablePointer<zip_error_t>?) -> String {
  error.flatMap { zip_error_strerror($0) }.map { String(cString: $0) } ?? "unknown error"
}

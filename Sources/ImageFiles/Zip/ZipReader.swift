import CZip

/// Reads a zip archive from an untrusted sender.
///
/// Not `Sendable`: libzip's handles belong to one thread at a time. All functions block.
public final class ZipReader {
  /// A file in the archive.
  public struct Member: Sendable, Equatable {
    /// Its name: components with `/` between them, none of them leading out of a folder.
    public let name: String
    /// Bytes of the unpacked file, as the archive claims.
    public let size: Int
    let index: UInt64
    let record: ZipDirectory.Record
  }

  /// Which files of an archive are looked at.
  public enum Selection: Sendable {
    /// Those with an extension, without what macOS adds (`__MACOSX`), as in the Python service.
    case named
    case all
  }

  /// The files to unpack, in the archive's order, without folders.
  public let members: [Member]

  private let handle: OpaquePointer
  let source: ByteSource

  /// Opens an archive and checks every member.
  ///
  /// - Parameters:
  ///   - name: what its sender calls it, for messages.
  /// - Throws: ``ImageFileError`` when it is no archive, a limit is exceeded, members overlap, or
  ///   one of them is encrypted, not a file, compressed in an unknown way, has the name of another
  ///   or of a folder, or a name that leads out of its folder or is too long for a file.
  public init(
    path: String, name: String, limits: ArchiveLimits = ArchiveLimits(),
    selection: Selection = .named
  ) throws(ImageFileError) {
    source = try ByteSource(path: path, name: name)
    let directory = try ZipDirectory(of: source, limits: limits)
    var code: Int32 = 0
    guard let handle = zip_open(path, ZIP_RDONLY, &code) else {
      throw ImageFileError(
        .damaged, file: name, "is a damaged ZIP archive (\(zipText(code)))",
        advice: "pack it again")
    }
    do throws(ImageFileError) {
      members = try Self.members(of: handle, directory, source, selection)
      try Self.checkSizes(of: members, source, limits)
    } catch {
      zip_discard(handle)
      throw error
    }
    self.handle = handle
  }

  deinit { zip_discard(handle) }

  /// Unpacks a member below a folder, under its own name.
  ///
  /// - Returns: the path of the file.
  /// - Throws: ``ImageFileError`` when the member is damaged or larger than the limits of all
  ///   members together leave room for; no file is left then.
  public func unpack(_ member: Member, into folder: String) throws(ImageFileError) -> String {
    let file = try FolderFile(creating: member.name, in: folder)
    try unpack(member) { (bytes) throws(ImageFileError) in try file.write(bytes) }
    return file.finish()
  }

  /// Unpacks a member into memory.
  ///
  /// - Parameter limit: the most bytes it may have.
  public func bytes(of member: Member, limit: Int) throws(ImageFileError) -> [UInt8] {
    guard member.size <= limit else {
      throw failure(
        .tooLarge, member,
        "has \(member.size.asByteCount); at most \(limit.asByteCount) "
          + "are allowed")
    }
    var result: [UInt8] = []
    try unpack(member) { (bytes) throws(ImageFileError) in result.append(contentsOf: bytes) }
    return result
  }

  private func unpack(
    _ member: Member, _ write: (UnsafeRawBufferPointer) throws(ImageFileError) -> Void
  ) throws(ImageFileError) {
    guard let file = zip_fopen_index(handle, member.index, 0) else {
      throw failure(.damaged, member, "cannot be unpacked (\(zipText(zip_get_error(handle))))")
    }
    defer { zip_fclose(file) }
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    defer { block.deallocate() }
    var done = 0
    while true {
      try source.checkCancellation()
      let count = Int(zip_fread(file, block.baseAddress, UInt64(block.count)))
      guard count >= 0 else {
        throw failure(
          .damaged, member, "is damaged (\(zipText(zip_file_get_error(file))))")
      }
      if count == 0 { break }
      done += count
      // The sizes together are within the limits.
      guard done <= member.size else {
        throw failure(.damaged, member, "is larger than the archive says")
      }
      try write(UnsafeRawBufferPointer(rebasing: block[..<count]))
    }
    guard done == member.size else {
      throw failure(.damaged, member, "is smaller than the archive says")
    }
  }

  private func failure(_ code: ImageFileError.Code, _ member: Member, _ reason: String)
    -> ImageFileError
  {
    ImageFileError(
      code, file: source.name, "has a member, \(member.name.forDisplay), that \(reason)",
      advice: "pack it again")
  }

  private static func checkSizes(
    of members: [Member], _ source: ByteSource, _ limits: ArchiveLimits
  ) throws(ImageFileError) {
    let allowed = limits.unpackedBytes(of: source.size)
    let total = members.reduce(0) { $0.addingSaturating($1.size) }
    guard total <= allowed else {
      throw ImageFileError(
        .tooLarge, file: source.name,
        "unpacks to \(total.asByteCount); at most \(allowed.asByteCount) are allowed for an "
          + "archive of \(source.size.asByteCount)", advice: "split it into several archives")
    }
  }
}

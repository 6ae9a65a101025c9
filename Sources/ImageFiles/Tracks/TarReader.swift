/// The files of a tar archive from an untrusted sender, one after the other.
///
/// POSIX (ustar, pax) and GNU archives. It is itself the bytes of the file in hand.
final class TarReader: ByteStream {
  struct Member {
    /// Components with `/` between them, none of them leading out of a folder.
    let name: String
    /// Bytes.
    let size: Int
  }

  private let stream: any ByteStream
  /// Of the file in hand, not yet read, and the zeros that fill its last block.
  private var left = 0
  private var padding = 0
  private var memberCount = 0
  private var skippedBytes = 0

  var name: String { stream.name }

  private static let mostMembers = 1000
  /// Of what is not asked for.
  private static let mostSkippedBytes = 64 << 20
  /// Of a header's extension.
  private static let longestExtension = 1 << 20

  init(_ stream: any ByteStream) { self.stream = stream }

  /// The next file; folders are passed over.
  ///
  /// - Returns: nil at the end.
  /// - Throws: ``ImageFileError`` for a damaged archive, one with too many members or too many bytes
  ///   that nobody reads, and for links, devices and names that lead out of a folder.
  func next() throws(ImageFileError) -> Member? {
    var (longName, longSize): (String?, Int?)
    while true {
      try finishMember()
      guard let header = try nextHeader() else { return nil }
      memberCount += 1
      guard memberCount <= Self.mostMembers else {
        throw ImageFileError(
          .tooLarge, file: name, "has more than \(Self.mostMembers) members",
          advice: "pack only what belongs to it")
      }
      // What a header's extension says is meant for the file behind it.
      begin(header.kind == .file ? longSize ?? header.size : header.size)
      switch header.kind {
      case .extended:
        let records = PaxRecords(try contents())
        longName = records["path"] ?? longName
        longSize = try records["size"].map { (text) throws(ImageFileError) in
          guard let size = Int(text), size >= 0 else { throw damaged }
          return size
        }
      case .longName:
        longName = String(decoding: try contents().prefix { $0 != 0 }, as: UTF8.self)
      case .ignored: break
      case .folder, .file:
        let path = try checked(longName ?? header.name)
        if header.kind == .file { return Member(name: path, size: left) }
        (longName, longSize) = (nil, nil)
      case .other:
        throw refused(longName ?? header.name, "is a link or a device, not a file")
      }
    }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImageFileError) -> Int {
    let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, left)])
    let count = try stream.read(into: part)
    left -= count
    return count
  }

  private func begin(_ size: Int) {
    left = size
    padding = (TarHeader.blockSize - size % TarHeader.blockSize) % TarHeader.blockSize
  }

  /// Passes over what was not read of the file in hand.
  private func finishMember() throws(ImageFileError) {
    skippedBytes = skippedBytes.addingSaturating(left)
    guard skippedBytes <= Self.mostSkippedBytes else {
      throw ImageFileError(
        .tooLarge, file: name,
        "has more than \(Self.mostSkippedBytes.asByteCount) in members that do not belong to it",
        advice: "pack only what belongs to it")
    }
    // Whoever made the archive may have left out the last zeros.
    let rest = left
    guard try stream.skip(rest) == rest else { throw damaged }
    _ = try stream.skip(padding)
    (left, padding) = (0, 0)
  }

  private func nextHeader() throws(ImageFileError) -> TarHeader? {
    let block = try stream.next(TarHeader.blockSize)
    // A block of zeros is the end, and so is that of the file.
    if block.allSatisfy({ $0 == 0 }) { return nil }
    guard let header = TarHeader(block) else {
      guard memberCount == 0 else { throw damaged }
      throw ImageFileError(
        .unknownFormat, file: name,
        "is not a tar archive: \(ContentGuess(block).description)")
    }
    return header
  }

  private func contents() throws(ImageFileError) -> [UInt8] {
    guard left <= Self.longestExtension else { throw damaged }
    let size = left
    let bytes = try next(size)
    guard bytes.count == size else { throw damaged }
    return bytes
  }

  private func checked(_ member: String) throws(ImageFileError) -> String {
    do {
      // As `tar` names what is in the folder it packs.
      let inFolder = member.hasPrefix("./") ? String(member.dropFirst(2)) : member
      if inFolder.isEmpty { return "" }
      return try FolderFile.memberComponents(of: inFolder).joined(separator: "/")
    } catch {
      throw refused(member, error.reason)
    }
  }

  private func refused(_ member: String, _ reason: String) -> ImageFileError {
    ImageFileError(
      .unsafeMember, file: name, "has a member, \(member.forDisplay), that \(reason)",
      advice: "remove it from the archive or pack it again")
  }

  private var damaged: ImageFileError {
    ImageFileError(
      .damaged, file: name, "is a damaged tar archive", advice: "pack it again")
  }
}

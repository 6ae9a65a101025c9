#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A new file below a folder, under a name that came from outside.
///
/// Each folder of the name is opened in turn without following links, so the file ends up below the
/// given folder whatever is there already.
struct FolderFile: ~Copyable {
  /// Where the file is: the folder's path and the name.
  let path: String
  private let descriptor: Int32
  /// The file in messages.
  private let display: String
  private var isFinished = false

  /// Creates the file, or empties one of that name, and the folders of the name.
  ///
  /// - Parameters:
  ///   - name: components with `/` between them; empty ones are dropped.
  ///   - folder: exists.
  init(creating name: String, in folder: String) throws(ImageFileError) {
    let components = try Self.fileComponents(of: name)
    let display = components.last ?? name
    descriptor = try Self.create(components, display, in: folder)
    path = ([folder] + components).joined(separator: "/")
    self.display = display
  }

  private static func create(
    _ components: [String], _ display: String, in folder: String
  ) throws(ImageFileError) -> Int32 {
    var parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { throw failure(display) }
    defer { close(parent) }
    for component in components.dropLast() {
      if mkdirat(parent, component, 0o777) != 0 && errno != EEXIST { throw failure(display) }
      let child = openat(parent, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard child >= 0 else { throw failure(display) }
      close(parent)
      parent = child
    }
    let descriptor = openat(
      parent, display, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure(display) }
    return descriptor
  }

  /// A file that was not finished is removed.
  deinit {
    close(descriptor)
    if !isFinished { unlink(path) }
  }

  /// Ends the file and keeps it.
  consuming func finish() -> String {
    isFinished = true
    return path
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(ImageFileError) {
    guard writeFully(bytes, to: descriptor) else { throw Self.failure(display) }
  }

  func write(_ bytes: [UInt8]) throws(ImageFileError) {
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(ImageFileError) in try write(buffer) }
    }
    try result.get()
  }

  /// The components of a relative name that stays in its folder.
  static func components(of name: String) throws(ImageFileError) -> [String] {
    func invalid(_ reason: String) -> ImageFileError {
      ImageFileError(.invalidName, file: name, reason, advice: "rename it")
    }
    guard name.utf8.count <= 1024 else { throw invalid("has a name of more than 1024 bytes") }
    guard !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      throw invalid("has control characters in its name")
    }
    let components = name.split(separator: "/").map(String.init)
    guard !components.isEmpty else { throw invalid("has no name") }
    for component in components {
      let parts = component.split(separator: "\\", omittingEmptySubsequences: false)
      guard component != ".", !parts.contains("..") else {
        throw invalid("has \".\" or \"..\" as a folder in its name")
      }
    }
    return components
  }

  /// The same of a name that can also be a file, here and where an archive of it is unpacked.
  static func fileComponents(of name: String) throws(ImageFileError) -> [String] {
    let components = try components(of: name)
    let first = components[0].prefix(2)
    guard first.first != "\\", !(first.last == ":" && first.first?.isLetter == true) else {
      throw ImageFileError(
        .invalidName, file: name, "has a name that is an absolute path on Windows",
        advice: "rename it")
    }
    guard components.allSatisfy({ $0.utf8.count <= 255 }) else {
      throw ImageFileError(
        .invalidName, file: name, "has a name too long for a file", advice: "shorten it")
    }
    return components
  }

  /// The components of an archive's member, which must not be meant for a place of its own.
  static func memberComponents(of name: String) throws(ImageFileError) -> [String] {
    let isDriveLetter = name.dropFirst().first == ":" && name.first?.isLetter == true
    guard !name.hasPrefix("/"), !name.hasPrefix("\\"), !isDriveLetter else {
      throw ImageFileError(.invalidName, file: name, "has an absolute path", advice: "rename it")
    }
    return try components(of: name)
  }

  private static func failure(_ file: String) -> ImageFileError {
    ImageFileError(.notWritten, file: file, "cannot be written: \(errnoText)")
  }
}

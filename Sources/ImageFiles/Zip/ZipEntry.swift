/// A file that goes into an archive.
public struct ZipEntry: Sendable {
  public enum Content: Sendable {
    case file(path: String)
    case bytes([UInt8])
  }

  /// Its name in the archive: components with `/` between them.
  public let name: String
  public let content: Content

  public init(name: String, content: Content) {
    self.name = name
    self.content = content
  }

  /// Files named by their place below a folder.
  ///
  /// - Parameter folder: a common parent; files elsewhere get their last component as name.
  public static func files(_ paths: [String], below folder: String) -> [ZipEntry] {
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    return paths.map { path in
      let name =
        path.hasPrefix(prefix)
        ? String(path.dropFirst(prefix.count)) : path.split(separator: "/").last.map(String.init)
      return ZipEntry(name: name ?? path, content: .file(path: path))
    }
  }
}

import FoundationEssentials

/// The value of `STORAGE_BUCKET`: `s3://NAME`, `gs://NAME` or `file://FOLDER`.
public enum BucketLocation: Sendable, Equatable, CustomStringConvertible {
  /// An absolute folder.
  case folder(String)
  case s3(bucket: String)
  case google(bucket: String)

  /// - Throws: ``BucketError`` `invalidRequest` that quotes the value and says what is accepted.
  public init(_ text: String) throws(BucketError) {
    func refuse(_ why: String) -> BucketError {
      BucketError(
        .invalidRequest, "\"\(text)\" \(why); use s3://NAME, gs://NAME or file://FOLDER")
    }
    guard let separator = text.firstRange(of: "://") else { throw refuse("has no ://") }
    let scheme = text[..<separator.lowerBound].lowercased()
    let rest = String(text[separator.upperBound...])
    guard !rest.isEmpty else { throw refuse("names no bucket") }
    switch scheme {
    case "file":
      if rest.hasPrefix("/") {
        self = .folder(rest)
      } else if rest == "." || rest.hasPrefix("./") {
        self = .folder(FileManager.default.currentDirectoryPath + "/" + rest)
      } else {
        throw BucketError(
          .invalidRequest,
          "\"\(text)\" is no folder: write file:///absolute/folder or file://./relative/folder")
      }
    case "s3", "gs":
      var name = rest.lowercased()
      if name.hasSuffix("/") { name.removeLast() }
      guard !name.contains("/") else {
        throw BucketError(
          .invalidRequest,
          "\"\(text)\" has a folder behind the bucket's name, which is not supported: "
            + "give the bucket alone")
      }
      self = scheme == "s3" ? .s3(bucket: name) : .google(bucket: name)
    case "az":
      throw BucketError(
        .invalidRequest,
        "\"\(text)\": Azure's Blob Storage is not served yet; use s3://NAME, gs://NAME or "
          + "file://FOLDER")
    default: throw refuse("has the unknown scheme \"\(scheme)\"")
    }
  }

  public var description: String {
    switch self {
    case .folder(let path): "file://\(path)"
    case .s3(let bucket): "s3://\(bucket)"
    case .google(let bucket): "gs://\(bucket)"
    }
  }
}

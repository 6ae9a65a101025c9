/// The name of an object in a bucket, checked before anything is done with it.
///
/// Keys come from job hashes, which anyone with access to Redis can write.
public struct ObjectKey: Sendable, Hashable, CustomStringConvertible {
  /// UTF-8, at most 1024 bytes, no leading `/`.
  public let text: String

  public static let maximumBytes = 1024

  /// - Throws: ``BucketError`` `invalidRequest` that names the rule which `text` breaks.
  public init(_ text: String) throws(BucketError) {
    func refuse(_ rule: String) -> BucketError {
      BucketError(
        .invalidRequest, key: text,
        "the file name \(Self.quoted(text)) cannot be used: \(rule)")
    }
    // Kiosk stores keys with and without the slash and means the same object.
    let key = text.hasPrefix("/") ? String(text.dropFirst()) : text
    guard !key.isEmpty else { throw refuse("it is empty") }
    guard key.utf8.count <= Self.maximumBytes else {
      throw refuse("it is longer than \(Self.maximumBytes) bytes")
    }
    guard !key.unicodeScalars.contains(where: Self.isControl) else {
      throw refuse("it contains control characters")
    }
    guard !key.unicodeScalars.contains("\u{FFFD}") else { throw refuse("it is not valid UTF-8") }
    let components = key.split(separator: "/", omittingEmptySubsequences: true)
    guard !components.isEmpty else { throw refuse("it names no file") }
    for component in components {
      for part in component.split(separator: "\\", omittingEmptySubsequences: false)
      where part == ".." || part == "." {
        throw refuse("'\(part)' would leave its folder")
      }
      guard component.utf8.count <= 255 else {
        throw refuse("a part of it is longer than 255 bytes")
      }
    }
    self.text = key
  }

  /// The parts between slashes, without empty ones.
  public var components: [Substring] { text.split(separator: "/") }

  /// Where a download of this key goes below its folder: the key without its first component,
  /// which in the Kiosk is `uploads` or `output`; all of it if there is only one.
  public var localPath: String {
    let components = components
    return (components.count > 1 ? components.dropFirst() : components[...]).joined(separator: "/")
  }

  public var description: String { text }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control
  }

  private static func quoted(_ text: String) -> String {
    let printable = String(
      String.UnicodeScalarView(
        text.unicodeScalars.prefix(120).map { isControl($0) ? "?" : $0 }))
    return "\"\(printable)\(text.unicodeScalars.count > 120 ? "..." : "")\""
  }
}

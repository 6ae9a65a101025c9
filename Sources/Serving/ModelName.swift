/// Which model to call: a name and a version, written `NuclearSegmentation:6`.
public struct ModelName: Hashable, Sendable, CustomStringConvertible {
  public let name: String
  public let version: Int

  public init(name: String, version: Int) {
    self.name = name
    self.version = version
  }

  /// Reads `name:version`.
  ///
  /// - Throws: ``ServingError`` with code `INVALID_ARGUMENT` that says what is wrong with the text.
  public init(_ text: String) throws(ServingError) {
    guard let colon = text.lastIndex(of: ":") else {
      throw Self.malformed(text, "the version is missing")
    }
    let name = text[..<colon]
    let version = text[text.index(after: colon)...]
    guard !name.isEmpty else { throw Self.malformed(text, "the name is empty") }
    guard name.allSatisfy({ !$0.isWhitespace && $0 != ":" }), name.utf8.count <= 255 else {
      throw Self.malformed(text, "the name has a space or colon in it, or over 255 bytes")
    }
    // Int(_:) alone would take "+6" as well.
    guard version.utf8.allSatisfy({ (48...57).contains($0) }), let version = Int(version) else {
      throw Self.malformed(text, "the version is not a whole number")
    }
    self.init(name: String(name), version: version)
  }

  private static func malformed(_ text: String, _ why: String) -> ServingError {
    ServingError(
      code: .invalidArgument, operation: .model,
      message: "\"\(text.prefix(300))\" names no model: \(why); write it as NuclearSegmentation:6")
  }

  public var description: String { "\(name):\(version)" }
}

/// Words of a service, made fit to stand in an error.
enum ServiceText {
  private static let lengthLimit = 300
  /// Shorter pieces of a secret occur by chance and tell nothing.
  private static let pieceLength = 12

  /// One line of printable characters, cut to a length, with `***` for every word that has a piece of
  /// a secret in it.
  static func shown(_ text: String, hiding secrets: [Secret]) -> String {
    let pieces = Set(secrets.flatMap { Self.pieces($0.revealed) })
    var shown: [String] = []
    var length = 0
    for word in text.split(whereSeparator: \.isWhitespace) {
      length += word.utf8.count + 1
      guard length <= lengthLimit else {
        shown.append("…")
        break
      }
      guard word.unicodeScalars.allSatisfy(isVisible) else { continue }
      shown.append(Self.pieces(word).contains(where: pieces.contains) ? "***" : String(word))
    }
    return shown.joined(separator: " ")
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    ![.control, .format].contains(scalar.properties.generalCategory)
  }

  private static func pieces(_ text: some StringProtocol) -> [ArraySlice<UInt8>] {
    let bytes = Array(text.utf8)
    guard bytes.count >= pieceLength else { return [] }
    return (0...bytes.count - pieceLength).map { bytes[$0..<$0 + pieceLength] }
  }
}

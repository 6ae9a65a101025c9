/// What a terminal can show.
struct TerminalStyle: Sendable {
  /// Whether lines can be redrawn; otherwise output goes to a file or another program.
  var isTerminal: Bool
  var hasColor: Bool
  var hasUnicode: Bool

  enum Color: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
    case dim = "2"
  }

  var ellipsis: String { hasUnicode ? "…" : ".." }

  func colored(_ text: String, _ color: Color) -> String {
    hasColor ? "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// - Parameters:
  ///   - isTerminal: of the stream that is written to.
  ///   - environment: `NO_COLOR`, `TERM` and the locale's variables count.
  init(isTerminal: Bool, allowsColor: Bool, environment: [String: String]) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    self.isTerminal = isTerminal && value("TERM") != "dumb"
    hasColor = self.isTerminal && allowsColor && value("NO_COLOR") == nil
    let locale = value("LC_ALL") ?? value("LC_CTYPE") ?? value("LANG") ?? ""
    let encoding = locale.uppercased().filter { $0 != "-" }
    hasUnicode = encoding.hasSuffix("UTF8")
  }
}

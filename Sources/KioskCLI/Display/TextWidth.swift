extension String {
  /// The text on one line without what would steer the terminal: names and reasons come from others.
  var printable: String {
    String(
      UnicodeScalarView(
        unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: "\u{FFFD}"
          default: scalar
          }
        }))
  }

  /// Columns the text takes on a terminal.
  var columns: Int { reduce(0) { $0 + $1.columns } }

  /// The text in exactly `width` columns: filled up with blanks, or its middle left out.
  func fitted(to width: Int, ellipsis: String) -> String {
    let columns = columns
    if columns <= width { return self + String(repeating: " ", count: width - columns) }
    guard width > ellipsis.count else { return String(repeating: " ", count: max(width, 0)) }
    // The end tells files of a series apart.
    let room = width - ellipsis.count
    let head = Self.prefix(of: self, columns: room - room / 2)
    let tail = String(Self.prefix(of: String(reversed()), columns: room / 2).reversed())
    let result = head + ellipsis + tail
    return result + String(repeating: " ", count: width - result.columns)
  }

  /// The start of the text, marked if there is more, in at most `width` columns.
  func shortened(to width: Int, ellipsis: String) -> String {
    if columns <= width { return self }
    guard width > ellipsis.count else { return "" }
    return Self.prefix(of: self, columns: width - ellipsis.count) + ellipsis
  }

  private static func prefix(of text: String, columns limit: Int) -> String {
    var result = ""
    var columns = 0
    for character in text {
      columns += character.columns
      if columns > limit { break }
      result.append(character)
    }
    return result
  }
}

extension Character {
  /// Columns on a terminal: 2 for East Asian wide characters and most emoji, 0 for marks alone.
  fileprivate var columns: Int {
    guard let scalar = unicodeScalars.first else { return 0 }
    if scalar.value < 0x300 { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
      0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
      0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}

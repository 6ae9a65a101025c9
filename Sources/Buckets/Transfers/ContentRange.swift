/// The field `Content-Range` (RFC 9110, 14.4).
enum ContentRange: Equatable {
  /// The bytes that follow, and those of the whole object.
  case part(Range<Int>, total: Int)
  /// None, for the range does not fit the object.
  case unsatisfied(total: Int)

  /// Nil for anything else, also for an unknown total.
  init?(_ text: String) {
    guard text.lowercased().hasPrefix("bytes") else { return nil }
    let parts = text.dropFirst(5).drop { $0 == " " || $0 == "=" }.split(
      separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let total = Self.number(parts[1]) else { return nil }
    if parts[0] == "*" {
      self = .unsatisfied(total: total)
      return
    }
    let bounds = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard bounds.count == 2, let first = Self.number(bounds[0]), let last = Self.number(bounds[1]),
      first <= last, last < total
    else { return nil }
    self = .part(first..<last + 1, total: total)
  }

  private static func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
    return Int(text)
  }
}

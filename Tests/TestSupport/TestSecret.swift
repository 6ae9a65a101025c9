/// Secrets that can be told wherever they turn up: what a program of a test says has none of them, or the
/// test fails.
public enum TestSecret {
  public static let mark = "tell-nobody-"

  /// A secret of its own, of characters that need no encoding anywhere.
  public static func make() -> String {
    mark + String(UInt64.random(in: .min ... .max), radix: 16)
  }

  /// - Throws: ``TestSupportError`` that names the line.
  public static func check(_ text: String, of what: String) throws {
    guard text.contains(mark),
      let line = text.split(separator: "\n").first(where: { $0.contains(mark) })
    else { return }
    throw TestSupportError("\(what) tells a secret: \(line)")
  }
}

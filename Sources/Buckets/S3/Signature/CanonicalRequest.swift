import CurlClient

/// A request in the one form that client and server sign.
struct CanonicalRequest: Sendable {
  let method: String
  /// Percent-encoded once, as it is sent: neither dot segments nor double slashes are removed.
  let path: String
  let query: CanonicalQuery
  /// All of them are signed.
  let fields: [HTTPField]
  /// The SHA-256 of the body, or a word in its place.
  let payload: String

  /// Names joined by `;`.
  var signedNames: String { lines.map(\.name).joined(separator: ";") }

  var text: String {
    let fields = lines.map { "\($0.name):\($0.value)\n" }.joined()
    return [method, path, query.text, fields, signedNames, payload].joined(separator: "\n")
  }

  /// Sorted by name, fields of the same name joined.
  private var lines: [(name: String, value: String)] {
    let values = Dictionary(
      fields.map { ($0.name.lowercased(), Self.plain($0.value)) },
      uniquingKeysWith: { $0 + "," + $1 })
    return values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { ($0.key, $0.value) }
  }

  /// Without blanks at the ends, and with single ones inside.
  private static func plain(_ value: String) -> String {
    value.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
  }
}

/// The query of a request, percent-encoded and sorted; what is signed is also what is sent.
struct CanonicalQuery: Sendable {
  let text: String

  init(_ items: [(name: String, value: String)] = []) {
    text =
      items
      .map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
      .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
      .map { "\($0.0)=\($0.1)" }
      .joined(separator: "&")
  }
}

import Glibc

/// The moment at which a request is signed.
struct SigningTime: Sendable {
  /// `YYYYMMDDThhmmssZ`.
  let text: String

  /// - Parameter seconds: since 1970, by the server's clock as far as it is known.
  init(_ seconds: Int) {
    var seconds = time_t(seconds)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ value: CInt, _ count: Int = 2) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    text =
      digits(parts.tm_year + 1900, 4) + digits(parts.tm_mon + 1) + digits(parts.tm_mday) + "T"
      + digits(parts.tm_hour) + digits(parts.tm_min) + digits(parts.tm_sec) + "Z"
  }

  /// `YYYYMMDD`.
  var date: String { String(text.prefix(8)) }
}

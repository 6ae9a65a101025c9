import Glibc

/// An instant as it stands in job hashes: ISO 8601 in UTC, with microseconds and an offset, which
/// other programs subtract and so must be able to parse.
package struct Timestamp: Sendable, CustomStringConvertible {
  /// Microseconds since 1970.
  package let microseconds: Int

  package init(microseconds: Int) { self.microseconds = microseconds }

  package static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: time.tv_sec * 1_000_000 + time.tv_nsec / 1000)
  }

  /// `2026-11-21T01:39:15.430173+00:00`
  package var description: String { text(fraction: 6) + "+00:00" }

  /// `2026-11-21T01:39:14.097Z`, the form of the web front end.
  package var producerDescription: String { text(fraction: 3) + "Z" }

  private func text(fraction digits: Int) -> String {
    var seconds = microseconds / 1_000_000
    var rest = microseconds % 1_000_000
    if rest < 0 {
      seconds -= 1
      rest += 1_000_000
    }
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func padded(_ value: some BinaryInteger, _ width: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let date = [
      padded(parts.tm_year + 1900, 4), padded(parts.tm_mon + 1, 2), padded(parts.tm_mday, 2),
    ]
    let time = [padded(parts.tm_hour, 2), padded(parts.tm_min, 2), padded(parts.tm_sec, 2)]
    return date.joined(separator: "-") + "T" + time.joined(separator: ":") + "."
      + padded(rest, 6).prefix(digits)
  }

  /// Reads either form above, and any ISO 8601 instant that carries an offset or `Z`.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int? {
      guard range.upperBound <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[range] {
        guard byte >= 48, byte <= 57 else { return nil }
        value = value * 10 + Int(byte - 48)
      }
      return value
    }
    guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[13] == UInt8(ascii: ":"),
      let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
    else { return nil }
    var position = 19
    var fraction = 0
    if bytes[position] == UInt8(ascii: ".") {
      position += 1
      var unit = 100_000
      while position < bytes.count, bytes[position] >= 48, bytes[position] <= 57 {
        fraction += Int(bytes[position] - 48) * unit
        unit /= 10
        position += 1
      }
    }
    var offset = 0
    guard position < bytes.count else { return nil }
    switch bytes[position] {
    case UInt8(ascii: "Z"): guard position + 1 == bytes.count else { return nil }
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      guard bytes.count == position + 6, let hours = number(position + 1..<position + 3),
        let minutes = number(position + 4..<position + 6)
      else { return nil }
      offset = (hours * 60 + minutes) * 60 * (bytes[position] == UInt8(ascii: "-") ? -1 : 1)
    default: return nil
    }
    var parts = tm()
    parts.tm_year = CInt(year - 1900)
    parts.tm_mon = CInt(month - 1)
    parts.tm_mday = CInt(day)
    parts.tm_hour = CInt(hour)
    parts.tm_min = CInt(minute)
    parts.tm_sec = CInt(second)
    microseconds = (timegm(&parts) - offset) * 1_000_000 + fraction
  }
}

import Glibc

/// The field `Retry-After` (RFC 9110, 10.2.3).
package enum RetryAfter {
  /// - Parameter now: seconds since 1970.
  /// - Returns: nil when it is neither seconds nor a date.
  package static func delay(_ text: String, now: Int) -> Duration? {
    if !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
      // More digits than fit are a long time.
      return .seconds(min(Int(text) ?? .max, 1 << 31))
    }
    return seconds(date: text).map { .seconds(max(0, min($0 - now, 1 << 31))) }
  }

  /// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that may still be sent.
  package static func seconds(date text: String) -> Int? {
    let parts = text.split(whereSeparator: { " :,".contains($0) })
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    guard parts.count == 8, parts[7] == "GMT", let day = Int32(parts[1]),
      let month = months.firstIndex(of: String(parts[2])), let year = Int32(parts[3]),
      let hour = Int32(parts[4]), let minute = Int32(parts[5]), let second = Int32(parts[6]),
      (1...31).contains(day), (1900...9999).contains(year), (0...23).contains(hour),
      (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    var date = tm()
    date.tm_mday = day
    date.tm_mon = Int32(month)
    date.tm_year = year - 1900
    date.tm_hour = hour
    date.tm_min = minute
    date.tm_sec = second
    return timegm(&date)
  }
}

import ArgumentParser
import Glibc
import JobQueue

/// An instant as people write it: `2026-11-22T03:00`, with seconds or without, `Z` or an offset such as
/// `+01:00`; local time without one. A blank may stand for the `T`.
struct PointInTime: ExpressibleByArgument, Sendable {
  let timestamp: Timestamp

  init?(argument: String) {
    guard
      let match = argument.wholeMatch(
        of: /(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?/),
      let utc = Self.exact(
        "\(match.1)T\(match.2)\(match.3 ?? ":00")", rest: "\(match.4 ?? "")")
    else { return nil }
    if let offset = match.5 {
      guard let instant = Timestamp("\(utc.date)\(utc.fraction)\(offset)") else { return nil }
      timestamp = instant
    } else {
      // What the clock on the wall shows; the zone's rules say which offset holds then.
      var parts = utc.parts
      parts.tm_isdst = -1
      let seconds = mktime(&parts)
      guard let fraction = Timestamp("1970-01-01T00:00:00\(utc.fraction)Z") else { return nil }
      timestamp = Timestamp(microseconds: seconds * 1_000_000 + fraction.microseconds)
    }
  }

  /// The parts of a date and time that the calendar has.
  private static func exact(
    _ date: String, rest fraction: String
  ) -> (date: String, fraction: String, parts: tm)? {
    guard let utc = Timestamp(date + "Z") else { return nil }
    // 31 February would silently become some day of March.
    guard utc.description.hasPrefix(date) else { return nil }
    var seconds = utc.microseconds / 1_000_000
    var parts = tm()
    gmtime_r(&seconds, &parts)
    return (date, fraction, parts)
  }
}

import ArgumentParser

/// A time as people write it: `90`, `90s`, `1.5h`, `7d` or `1h30m`; without a unit, seconds.
struct TimeSpan: ExpressibleByArgument, Sendable, Equatable {
  let duration: Duration

  private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
  /// Ten years: more is a mistake.
  static let longest = 3653.0 * 86400

  init?(argument: String) {
    var seconds = 0.0
    var rest = argument[...]
    // Nothing, and a sign, are no times.
    guard let first = rest.first, first.isNumber || first == "." else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      guard let number = Double(digits) else { return nil }
      rest = rest.dropFirst(digits.count)
      if let unit = rest.popFirst() {
        guard let factor = Self.units[unit] else { return nil }
        seconds += number * factor
      } else {
        // Only a number alone goes without a unit.
        guard digits.count == argument.count else { return nil }
        seconds = number
      }
    }
    guard seconds.isFinite, seconds <= Self.longest else { return nil }
    duration = .milliseconds((seconds * 1000).rounded())
  }
}

extension Duration {
  /// `45 s`, `12 min`, `3 h 5 min` or `2 d 4 h`: for tables.
  var roughText: String {
    let seconds = Int(max(0, components.seconds))
    switch seconds {
    case ..<120: return "\(seconds) s"
    case ..<7200: return "\(seconds / 60) min"
    case ..<172_800: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    default: return "\(seconds / 86400) d \(seconds / 3600 % 24) h"
    }
  }

  var seconds: Double { self / .seconds(1) }
}

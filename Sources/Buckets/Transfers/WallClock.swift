import Glibc

/// The time of day, which signatures and expiring credentials need.
enum WallClock {
  /// Seconds since 1970.
  static func now() -> Int { time(nil) }
}

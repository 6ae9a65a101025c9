/// The pauses between tries of one request.
///
/// The first four are short, since most failures are over at once; then follow those of the Python
/// service, so that a store that is away for long sees no more requests than before.
enum RetryDelay {
  private static let shortPauses = 4

  /// - Parameters:
  ///   - number: of the pause, from 0.
  ///   - cap: no pause is longer.
  ///   - fraction: the chance in it, 0...1.
  static func pause(
    _ number: Int, cap: Duration, fraction: Double = .random(in: 0...1)
  ) -> Duration {
    guard number < shortPauses else {
      return waiting(number - shortPauses, cap: cap, fraction: fraction)
    }
    return min(.milliseconds(100 << number), cap) * (0.5 + fraction / 2)
  }

  /// The Python service's: `2^n` seconds and up to one more.
  static func waiting(_ number: Int, cap: Duration, fraction: Double) -> Duration {
    min(.seconds(1 << min(number, 20)) + .milliseconds(1) + .milliseconds(999) * fraction, cap)
  }
}

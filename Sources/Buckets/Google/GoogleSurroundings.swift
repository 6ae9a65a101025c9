import Retrying

/// What a bucket finds around it, for tests to replace.
struct GoogleSurroundings: Sendable {
  var clock = AnyClock.continuous
  /// Seconds since 1970.
  var now: @Sendable () -> Int = { WallClock.now() }
  /// Base URLs in place of Google's.
  var storage: String?
  var signing = RemoteSigner.service
}

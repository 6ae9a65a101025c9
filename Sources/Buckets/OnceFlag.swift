import Synchronization

/// For what is told once.
final class OnceFlag: Sendable {
  private let flag = Atomic(false)

  init() {}

  var isRaised: Bool { flag.load(ordering: .acquiring) }

  /// True the first time.
  func raise() -> Bool { !flag.exchange(true, ordering: .acquiringAndReleasing) }
}

import Synchronization

/// For what is told once.
final class OnceFlag: Sendable {
  private let isRaised = Atomic(false)

  init() {}

  /// True the first time.
  func raise() -> Bool { !isRaised.exchange(true, ordering: .acquiringAndReleasing) }
}

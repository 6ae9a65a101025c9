import Synchronization

/// Counts requests.
final class Counter: Sendable {
  private let value = Atomic(0)

  /// From 1.
  func next() -> Int { value.add(1, ordering: .relaxed).newValue }
}

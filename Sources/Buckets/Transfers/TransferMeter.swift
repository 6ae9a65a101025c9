import Synchronization

/// Counts the bytes of one part towards its operation; a part that begins anew takes its bytes back.
final class TransferMeter: Sendable {
  private let operation: StoreOperation
  private let position = Atomic(0)

  init(_ operation: StoreOperation) { self.operation = operation }

  /// - Parameter position: bytes of the part that are moved.
  func reached(_ position: Int) {
    let before = self.position.exchange(position, ordering: .relaxed)
    operation.move(position - before)
  }
}

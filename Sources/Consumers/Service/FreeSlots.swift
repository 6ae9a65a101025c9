import Synchronization

/// The slots of a process that have no job.
final class FreeSlots: Sendable {
  private let slots: Mutex<[JobSlot]>
  private let changes: AsyncStream<Void>
  private let change: AsyncStream<Void>.Continuation

  init(_ slots: [JobSlot]) {
    self.slots = Mutex(slots)
    (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  var count: Int { slots.withLock { $0.count } }

  func take() -> JobSlot? { slots.withLock { $0.popLast() } }

  func giveBack(_ slot: JobSlot) {
    slots.withLock { $0.append(slot) }
    change.yield()
  }

  /// Returns when there is a free slot, or the task is cancelled. For one waiter at a time.
  func waitForOne() async {
    while count == 0, !Task.isCancelled {
      for await _ in changes { break }
    }
  }
}

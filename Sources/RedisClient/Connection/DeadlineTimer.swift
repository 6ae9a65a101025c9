import NIOCore

/// One timer for many deadlines, armed for the earliest. Belongs to one event loop.
final class DeadlineTimer {
  private let eventLoop: any EventLoop
  private let expire: NIOLoopBound<() -> Void>
  private var armed: (deadline: NIODeadline, task: Scheduled<Void>)?

  /// - Parameter expire: called when a deadline has passed; arms the timer again for what is left.
  init(eventLoop: any EventLoop, expire: @escaping () -> Void) {
    self.eventLoop = eventLoop
    self.expire = NIOLoopBound(expire, eventLoop: eventLoop)
  }

  /// Makes sure that the timer fires at `deadline` or before.
  func arm(_ deadline: NIODeadline) {
    if let armed {
      if armed.deadline <= deadline { return }
      armed.task.cancel()
    }
    let holder = NIOLoopBound(self, eventLoop: eventLoop)
    let task = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      holder.value.armed = nil
      holder.value.expire.value()
    }
    armed = (deadline, task)
  }

  func disarm() {
    armed?.task.cancel()
    armed = nil
  }
}

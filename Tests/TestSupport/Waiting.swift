/// Runs `body`, and throws when it has not ended within a time far beyond what it needs.
///
/// The limit only turns a hang into a failure: `body` must react to cancellation.
public func within<Value: Sendable>(
  _ limit: Duration, _ what: String,
  _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: limit)
      throw TestSupportError("\(what) took more than \(limit)")
    }
    defer { group.cancelAll() }
    guard let value = try await group.next() else { throw CancellationError() }
    return value
  }
}

/// Repeats `condition` until it holds: for what changes in another process and cannot be awaited.
public func eventually(
  _ what: String, within limit: Duration = .seconds(30),
  _ condition: @escaping @Sendable () async throws -> Bool
) async throws {
  try await TestSupport.within(limit, "waiting until \(what)") {
    while try await !condition() { try await Task.sleep(for: .milliseconds(5)) }
  }
}

/// A value that tasks can wait for to become what they want.
public actor Watched<Value: Sendable> {
  public private(set) var value: Value
  private var waiters: [Int: (condition: @Sendable (Value) -> Bool, wake: Wake)] = [:]
  private var nextWaiter = 0
  private typealias Wake = CheckedContinuation<Void, any Error>

  public init(_ value: Value) {
    self.value = value
  }

  public func update(_ change: @Sendable (inout Value) -> Void) {
    change(&value)
    for (id, waiter) in waiters where waiter.condition(value) {
      waiters.removeValue(forKey: id)?.wake.resume()
    }
  }

  /// Returns the first value that fulfils the condition.
  ///
  /// - Throws: `CancellationError`.
  @discardableResult
  public func wait(until condition: @escaping @Sendable (Value) -> Bool) async throws -> Value {
    let id = nextWaiter
    nextWaiter += 1
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (wake: Wake) in
        if Task.isCancelled {
          wake.resume(throwing: CancellationError())
        } else if condition(value) {
          wake.resume()
        } else {
          waiters[id] = (condition, wake)
        }
      }
    } onCancel: {
      // The actor is entered from a synchronous handler.
      Task { await cancel(id) }
    }
    return value
  }

  private func cancel(_ id: Int) {
    waiters.removeValue(forKey: id)?.wake.resume(throwing: CancellationError())
  }
}

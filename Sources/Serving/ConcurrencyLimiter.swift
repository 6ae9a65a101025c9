import Retrying
import Synchronization

/// Lets a limited number of predict calls run: a fixed number for the process, and for each model one
/// that follows how its server copes. That one starts at 2, grows by one after as many successes as
/// it is, and is halved after a missed deadline or an overload, at most once a second.
final class ConcurrencyLimiter: Sendable {
  private struct Model {
    var limit = 2
    var inFlight = 0
    var waiting = 0
    var successes = 0
    var lastCut: Duration?
  }

  private struct Waiter {
    let id: UInt64
    let model: ModelName
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var models: [ModelName: Model] = [:]
    var inFlight = 0
    var waiters: [Waiter] = []  // in order of arrival
    var nextID: UInt64 = 0
  }

  private let maximum: Int
  private let clock: AnyClock
  private let state = Mutex(State())

  /// Models remembered; those without calls are forgotten beyond, since any job can name a new one.
  private static let capacity = 256

  init(maximum: Int, clock: AnyClock) {
    self.maximum = max(maximum, 1)
    self.clock = clock
  }

  /// Runs `body` when a place is free, first come first served.
  ///
  /// - Throws: what `body` throws, or `CancellationError` while waiting.
  func withPlace<Result>(
    for model: ModelName, _ body: () async throws -> Result
  ) async throws -> Result {
    try await take(model)
    defer { give(model) }
    return try await body()
  }

  func succeeded(_ model: ModelName) {
    state.withLock { state in
      update(&state, model) { entry in
        entry.successes += 1
        guard entry.successes >= entry.limit else { return }
        entry.successes = 0
        entry.limit = min(entry.limit + 1, maximum)
      }
    }
  }

  func overloaded(_ model: ModelName) {
    let now = clock.now
    state.withLock { state in
      update(&state, model) { entry in
        if let cut = entry.lastCut, now - cut < .seconds(1) { return }
        entry.lastCut = now
        entry.successes = 0
        entry.limit = max(entry.limit / 2, 1)
      }
    }
  }

  /// The limit of a model and its calls in flight.
  func load(_ model: ModelName) -> (limit: Int, inFlight: Int) {
    state.withLock { state in
      let entry = state.models[model] ?? Model()
      return (min(entry.limit, maximum), entry.inFlight)
    }
  }

  // MARK: Waiting

  private func take(_ model: ModelName) async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let granted = state.withLock { state in
          update(&state, model) { $0.waiting += 1 }
          state.waiters.append(Waiter(id: id, model: model, continuation: continuation))
          return grant(&state)
        }
        for waiter in granted { waiter.resume() }
        // The handler may have run before the waiter was there.
        if Task.isCancelled { abandon(id) }
      }
    } onCancel: {
      abandon(id)
    }
  }

  private func give(_ model: ModelName) {
    let granted = state.withLock { state in
      state.inFlight -= 1
      update(&state, model) { $0.inFlight -= 1 }
      return grant(&state)
    }
    for waiter in granted { waiter.resume() }
  }

  private func abandon(_ id: UInt64) {
    let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
      guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
      let waiter = state.waiters.remove(at: index)
      update(&state, waiter.model) { $0.waiting -= 1 }
      return waiter.continuation
    }
    continuation?.resume(throwing: CancellationError())
  }

  /// Gives free places to those waiting; the caller resumes them outside the lock.
  private func grant(_ state: inout State) -> [CheckedContinuation<Void, any Error>] {
    var granted: [CheckedContinuation<Void, any Error>] = []
    var index = 0
    while index < state.waiters.count, state.inFlight < maximum {
      let waiter = state.waiters[index]
      let entry = state.models[waiter.model] ?? Model()
      if entry.inFlight < entry.limit {
        state.waiters.remove(at: index)
        state.inFlight += 1
        update(&state, waiter.model) {
          $0.waiting -= 1
          $0.inFlight += 1
        }
        granted.append(waiter.continuation)
      } else {
        index += 1
      }
    }
    return granted
  }

  private func update(
    _ state: inout State, _ model: ModelName, _ change: (inout Model) -> Void
  ) {
    if state.models[model] == nil, state.models.count >= Self.capacity {
      state.models = state.models.filter { $0.value.inFlight > 0 || $0.value.waiting > 0 }
    }
    change(&state.models[model, default: Model()])
  }
}

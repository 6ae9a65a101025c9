import Executors
import Logging
import Synchronization

/// A credential or token and its end.
struct Expiring<Value: Sendable & Equatable>: Sendable, Equatable {
  var value: Value
  /// Seconds since 1970; nil: it does not end by itself.
  var expiration: Int?
}

/// Keeps a credential and fetches the next one before it ends: in the background while the old one
/// lives, one fetch at a time for any number of callers.
///
/// A fetch must have limits of its own. It belongs to all who wait for it: one caller's cancellation
/// ends that caller's waiting and not the fetch.
final class CredentialCache<Value: Sendable & Equatable>: Sendable {
  typealias Fetch = @Sendable () async throws -> Expiring<Value>

  private struct State {
    var current: Expiring<Value>?
    var fetchedAt = 0
    /// From when on the next one is fetched.
    var renewal = Int.max
    /// Fetches that failed since the last one that did not.
    var failures = 0
    var isFetching = false
    var waiters: [Int: CheckedContinuation<Value, any Error>] = [:]
    var nextWaiter = 0
  }

  /// How long before the end the next one is fetched, in seconds, plus a random part so that many
  /// processes do not do it together.
  private static var lead: Int { 300 }
  private static var leadJitter: ClosedRange<Int> { 0...60 }
  /// The longest pause between failing fetches while the old credential lives, in seconds.
  private static var maximumPause: Int { 60 }

  private let state = Mutex(State())
  private let logger: Logger
  private let minimumAge: Int
  private let now: @Sendable () -> Int
  private let fetch: Fetch

  /// - Parameters:
  ///   - minimumAge: a credential this young, in seconds, is not replaced because a store refused it.
  ///     Services that give the same again for a while need not be asked by every one of many
  ///     requests that were refused.
  ///   - now: seconds since 1970.
  ///   - fetch: gets a new credential.
  init(
    logger: Logger, minimumAge: Int = 5, now: @escaping @Sendable () -> Int = WallClock.now,
    fetch: @escaping Fetch
  ) {
    self.logger = logger
    self.minimumAge = minimumAge
    self.now = now
    self.fetch = fetch
  }

  /// The credential, which lives. Waits only if there is none.
  ///
  /// - Throws: what the fetch threw; `CancellationError`.
  func current() async throws -> Value {
    let now = now()
    let isGood = { (state: State) in state.current?.isAlive(at: now) == true }
    let (living, isDue) = state.withLock { state -> (Value?, Bool) in
      guard isGood(state) else { return (nil, false) }
      let isDue = now >= state.renewal && !state.isFetching
      if isDue { state.isFetching = true }
      return (state.current?.value, isDue)
    }
    if isDue { startFetch() }
    if let living { return living }
    return try await fetched(unless: isGood)
  }

  /// A credential newer than one that a store refused, if there is any.
  ///
  /// - Throws: as ``current()``, also while `refused` has not ended.
  func renew(insteadOf refused: Value) async throws -> Value {
    let now = now()
    let minimumAge = minimumAge
    return try await fetched { state in
      guard let current = state.current, current.isAlive(at: now) else { return false }
      // A clock that was set back makes it seem to be of the future.
      let isNew = (0..<minimumAge).contains(now - state.fetchedAt)
      return current.value != refused || isNew
    }
  }

  /// How many wait for the fetch under way.
  var waiterCount: Int { state.withLock { $0.waiters.count } }

  // MARK: Fetching

  /// The result of the fetch under way, or of one that begins now, unless there is a good one by now.
  private func fetched(unless isGood: (State) -> Bool) async throws -> Value {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (good, isFirst) = state.withLock { state -> (Value?, Bool) in
          if isGood(state), let good = state.current?.value { return (good, false) }
          state.waiters[id] = continuation
          defer { state.isFetching = true }
          return (nil, !state.isFetching)
        }
        if let good { return continuation.resume(returning: good) }
        if isFirst { startFetch() }
        // The handler may have run before the waiter was there.
        if Task.isCancelled { leave(id) }
      }
    } onCancel: {
      leave(id)
    }
  }

  private func leave(_ id: Int) {
    let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
    waiter?.resume(throwing: CancellationError())
  }

  /// Called by whoever set `isFetching`.
  private func startFetch() {
    // Unstructured: it belongs to all who wait, and goes on when they leave. On a thread of its own:
    // it may read files.
    Task(executorPreference: ThreadExecutor(label: "credentials")) {
      do { self.land(try await self.fetch()) } catch { self.fail(error) }
    }
  }

  private func land(_ fetched: Expiring<Value>) {
    let now = now()
    let waiters = state.withLock { state in
      state.current = fetched
      state.fetchedAt = now
      state.failures = 0
      // Half of what is left, when the service gives out credentials shortly before their end.
      state.renewal =
        fetched.expiration.map { end in
          end - min(Self.lead + .random(in: Self.leadJitter), max(0, end - now) / 2)
        } ?? .max
      return Self.endFetch(&state)
    }
    for waiter in waiters { waiter.resume(returning: fetched.value) }
  }

  private func fail(_ error: any Error) {
    let now = now()
    let (waiters, isAlive) = state.withLock { state in
      state.failures += 1
      let pause = min(5 << min(state.failures - 1, 8), Self.maximumPause)
      // A forced fetch may fail long before the renewal is due.
      state.renewal = max(state.renewal, now + pause + .random(in: 0...pause / 2))
      return (Self.endFetch(&state), state.current?.isAlive(at: now) == true)
    }
    if isAlive {
      logger.warning(
        "the credential cannot be renewed yet; the old one is used until its end",
        metadata: ["event": "storage_credential", "error": "\(error)"])
    }
    for waiter in waiters { waiter.resume(throwing: error) }
  }

  private static func endFetch(_ state: inout State) -> [CheckedContinuation<Value, any Error>] {
    defer { state.waiters = [:] }
    state.isFetching = false
    return Array(state.waiters.values)
  }
}

extension Expiring {
  fileprivate func isAlive(at time: Int) -> Bool { expiration.map { time < $0 } ?? true }
}

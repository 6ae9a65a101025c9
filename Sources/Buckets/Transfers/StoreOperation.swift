import CurlClient
import Logging
import Retrying
import Synchronization

/// One call of a bucket that is reached by HTTP: repeats what fails and shows that it is alive.
final class StoreOperation: Sendable {
  let key: ObjectKey?
  let settings: TransferSettings
  private let clock: AnyClock
  private let progress: TransferProgress
  private let logger: Logger
  private let moved = Atomic(0)
  /// Held while `progress` is called, so that it is not once the call of the bucket is over.
  private let isOver = Mutex(false)

  init(
    key: ObjectKey?, settings: TransferSettings, clock: AnyClock = .continuous, logger: Logger,
    progress: @escaping TransferProgress = { _ in }
  ) {
    self.key = key
    self.settings = settings
    self.clock = clock
    self.logger = logger
    self.progress = progress
  }

  /// Notes that bytes were moved; negative when a part begins anew. For any thread.
  func move(_ bytes: Int) { moved.add(bytes, ordering: .relaxed) }

  /// Does something and meanwhile tells the caller of the bucket how far it is, also when nothing
  /// moves.
  func run<Value>(_ body: () async throws -> Value) async throws -> Value {
    ProgressTicker.shared.add(self)
    defer {
      ProgressTicker.shared.remove(self)
      isOver.withLock { $0 = true }
    }
    let value = try await body()
    tellProgress()
    return value
  }

  /// For any thread; not after the end of ``run(_:)``.
  func tellProgress() {
    isOver.withLock { isOver in
      if !isOver { progress(moved.load(ordering: .relaxed)) }
    }
  }

  /// Does something until it goes well or cannot any more.
  ///
  /// - Parameter body: one try; throws ``FailedTry``, `HTTPError`, or anything that is final.
  /// - Throws: the last failure as a ``BucketError``; `CancellationError`.
  func retrying<Value>(_ body: () async throws -> Value) async throws -> Value {
    let start = clock.now
    var remedies: Set<FailedTry.Remedy> = []
    var pauses = 0
    var tries = 0
    /// Of the first failure.
    var since: Duration?
    while true {
      try Task.checkCancellation()
      tries += 1
      var failed: FailedTry
      do {
        return try await body()
      } catch let error as FailedTry {
        failed = error
      } catch let error as HTTPError {
        failed = FailedTry(error, key: key)
      } catch let error as BucketError {
        failed = FailedTry(error, .never)
      }
      // What was broken off shows itself as a failure of what it was doing.
      try Task.checkCancellation()
      failed.error.tries = max(failed.error.tries, tries)
      failed.error.elapsed = clock.now - start
      since = since ?? clock.now
      switch failed.retry {
      case .never: throw failed.error
      case .once(let remedy):
        guard remedies.insert(remedy).inserted else { throw failed.error }
      case .later(let least):
        var pause = RetryDelay.pause(pauses, cap: settings.maximumBackoff)
        pause = max(pause, min(least ?? .zero, settings.maximumBackoff))
        if let deadline = settings.retryDeadline, clock.now + pause - (since ?? .zero) > deadline {
          throw failed.error
        }
        pauses += 1
        logger.info(
          "storage request failed; trying again",
          metadata: [
            "event": "storage_retry", "error": "\(failed.error)", "delay": "\(pause)",
          ])
        try await clock.sleep(for: pause)
      }
    }
  }
}

import Logging

/// The token that is in use: kept, renewed before its end, by one request at a time however many wait.
actor GoogleTokens {
  /// A token is renewed this many seconds before its end.
  private static let margin = 300
  /// One that ends sooner is not sent any more: the request needs its time too.
  private static let leastLife = 15
  /// Between attempts to renew a token that is still good.
  private static let pauseAfterFailure = 30

  private typealias Waiter = CheckedContinuation<GoogleToken, any Error>

  nonisolated let source: any GoogleTokenSource
  private let now: @Sendable () -> Int
  private let logger: Logger
  private var current: GoogleToken?
  private var renewal: Task<Void, Never>?
  private var nextAttempt = Int.min
  private var waiters: [Int: Waiter] = [:]
  private var lastWaiter = 0

  /// - Parameter now: seconds since 1970.
  init(
    _ source: any GoogleTokenSource, logger: Logger,
    now: @escaping @Sendable () -> Int = { WallClock.now() }
  ) {
    self.source = source
    self.logger = logger
    self.now = now
  }

  deinit { renewal?.cancel() }

  /// A token that is good for a request.
  ///
  /// - Throws: ``BucketError`` when there is none and none can be had; `CancellationError`.
  func token() async throws -> GoogleToken {
    guard let current, current.expiration - now() > Self.leastLife else {
      return try await renewed()
    }
    // Nobody waits while the old token does.
    if current.expiration - now() <= Self.margin, now() >= nextAttempt { startRenewal() }
    return current
  }

  /// Notes that a server does not take a token, which is not used again.
  func refuse(_ token: GoogleToken) {
    if current == token { current = nil }
  }

  /// Waits for the renewal under way. Who gives up waiting leaves it to the others.
  private func renewed() async throws -> GoogleToken {
    lastWaiter += 1
    let number = lastWaiter
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (waiter: Waiter) in
        if Task.isCancelled { return waiter.resume(throwing: CancellationError()) }
        waiters[number] = waiter
        startRenewal()
      }
    } onCancel: {
      // The actor is entered from a synchronous handler.
      Task { await self.giveUp(number) }
    }
  }

  private func giveUp(_ number: Int) {
    waiters.removeValue(forKey: number)?.resume(throwing: CancellationError())
  }

  private func startRenewal() {
    guard renewal == nil else { return }
    // It serves all who wait, and none of them may end it.
    renewal = Task { [weak self, source] in
      do {
        let token = try await source.fetch()
        await self?.finish(.success(token))
      } catch {
        await self?.finish(.failure(error))
      }
    }
  }

  private func finish(_ result: Result<GoogleToken, any Error>) {
    renewal = nil
    switch result {
    case .success(let token): current = token
    case .failure(let error):
      nextAttempt = now() + Self.pauseAfterFailure
      if waiters.isEmpty {
        logger.warning(
          "Google credentials cannot be renewed yet",
          metadata: ["event": "storage_credentials", "error": "\(error)"])
      }
    }
    let all = waiters.values
    waiters = [:]
    for waiter in all { waiter.resume(with: result) }
  }
}

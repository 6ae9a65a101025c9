import Logging
import Metrics
import Retrying

/// A client of TensorFlow Serving: keeps a few connections, waits for a server that is away, retries
/// with care, and adapts to what the server can take.
///
/// One per process and server, used by all jobs at once.
public final class ServingClient: PredictBackend {
  let configuration: ServingConfiguration
  let clock: AnyClock
  let logger: Logger
  let pool: ChannelPool
  let limiter: ConcurrencyLimiter
  let memory = ModelMemory()
  let store: MetadataStore
  let metrics: PredictMetrics
  /// Shared by all calls, so that an overloaded server is not asked again by each of them.
  let budget = RetryBudget()

  /// Opens no connection yet.
  ///
  /// - Parameters:
  ///   - cache: shared metadata, such as the one in Redis.
  ///   - clock: measures pauses, ages and expiry; deadlines of calls are real time.
  public init(
    _ configuration: ServingConfiguration, cache: (any MetadataCache)? = nil,
    clock: AnyClock = .continuous, logger: Logger = Logger(label: "predict"),
    metrics factory: any MetricsFactory = MetricsSystem.factory
  ) {
    self.configuration = configuration
    self.clock = clock
    self.logger = logger
    metrics = PredictMetrics(factory: factory)
    pool = ChannelPool(configuration, clock: clock)
    limiter = ConcurrencyLimiter(maximum: configuration.maximumInFlight, clock: clock)
    store = MetadataStore(cache: cache, expiry: configuration.metadataExpiry, clock: clock)
  }

  /// Makes one call, without any retry.
  func call(
    _ operation: ServingError.Operation, model: ModelName?, timeout: Duration,
    context: CallContext, start: Call.Start
  ) async throws -> WireMessage {
    do {
      return try await pool.withChannel { channel in
        metrics.connected(pool.states)
        do {
          return try await Call.run(
            on: channel, timeout: timeout, headers: context.headers, start: start)
        } catch let error as ShimError where error.code == .unavailable {
          pool.discard(channel)
          throw error
        }
      }
    } catch let error as ShimError {
      throw self.error(error, operation, model)
    }
  }

  func error(
    _ error: ShimError, _ operation: ServingError.Operation, _ model: ModelName?
  ) -> ServingError {
    ServingError(
      code: error.code, operation: operation, model: model, message: error.message,
      server: configuration.target)
  }

  /// Makes calls until one succeeds or its failure is final.
  ///
  /// A server that is away is waited for; missed deadlines and overloads are retried within limits;
  /// all else fails at once.
  ///
  /// - Parameter body: makes one call, with the deadline given.
  func retrying<Result>(
    model: ModelName, context: CallContext, body: (Duration) async throws -> Result
  ) async throws -> Result {
    let start = clock.now
    var tries = 0
    var timeout = configuration.timeout
    do {
      let result = try await retry(
        policy: policy, clock: clock,
        onPause: { pause in
          guard let error = pause.error as? ServingError else { return }
          let isKnown = memory[model].isKnown
          metrics.retried(model, isKnown: isKnown, code: error.code)
          logger.debug(
            "Waiting before the call is sent again",
            metadata: [
              "event": "predict_retry", "model": "\(model.name)",
              "model_version": "\(model.version)", "code": "\(error.code)",
              "attempt": "\(tries)", "error": "\(error.message.prefix(2000))",
            ])
          // The server does not stop work whose deadline has passed: give it more time, not more work.
          if error.code != .unavailable {
            timeout = min(timeout * 2, configuration.timeout * 4)
          }
          await context.onPause(
            ServingPause(error: error, delay: pause.delay, elapsed: pause.elapsed))
        },
        operation: {
          tries += 1
          return try await body(timeout)
        })
      budget.succeeded()
      return result
    } catch var error as ServingError {
      error.tries = tries
      error.elapsed = clock.now - start
      throw error
    }
  }

  private func policy(for error: any Error) -> RetryPolicy? {
    guard let error = error as? ServingError, error.isRetryable else { return nil }
    if error.code == .unavailable {
      return RetryPolicy(
        name: "unavailable", base: .seconds(1), cap: .seconds(30), jitter: .full,
        timeLimit: configuration.waitTimeout)
    }
    return RetryPolicy(
      name: "overloaded", base: configuration.backoff,
      cap: max(configuration.backoff, .seconds(30)), jitter: .equal,
      maximumRetries: configuration.maximumRetries, budget: budget)
  }
}

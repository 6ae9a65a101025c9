import CurlClient
import Retrying

/// How callbacks are sent.
package struct CallbackSettings: Sendable {
  /// Signs what is sent; nil sends it unsigned.
  package var secret: CallbackSecret?
  /// Which addresses may be called.
  package var addresses: AddressGuard
  /// Certificates (PEM) to trust in place of the system's.
  package var authorityFile: String?
  package var userAgent: String
  /// For one try, with everything.
  package var timeout: Duration
  /// Tries, the first one included.
  package var maximumTries: Int
  /// The pauses between tries. A receiver may ask for longer ones, up to ``longestPause``.
  package var retries: RetryPolicy
  package var longestPause: Duration
  /// How often the outbox is looked into when nothing is known to be due.
  package var interval: Duration
  /// Callbacks on their way at a time.
  package var concurrency: Int
  /// Those to one host and port.
  package var concurrencyPerHost: Int
  /// How many callbacks are kept that were given up, and how long.
  package var deadLetterLimit: Int
  package var deadLetterLifetime: Duration

  /// The pauses of 12 tries come to 58 minutes on average: 8 s, doubling up to 15 min, less up to half
  /// of each at random.
  package init(
    secret: CallbackSecret? = nil, addresses: AddressGuard, authorityFile: String? = nil,
    userAgent: String = "redis-consumer", timeout: Duration = .seconds(10),
    maximumTries: Int = 12,
    retries: RetryPolicy = RetryPolicy(
      name: "callback", base: .seconds(8), cap: .seconds(900), jitter: .equal),
    longestPause: Duration = .seconds(3600), interval: Duration = .seconds(5),
    concurrency: Int = 16, concurrencyPerHost: Int = 4, deadLetterLimit: Int = 10_000,
    deadLetterLifetime: Duration = .seconds(7 * 86400)
  ) {
    self.secret = secret
    self.addresses = addresses
    self.authorityFile = authorityFile
    self.userAgent = userAgent
    self.timeout = timeout
    self.maximumTries = maximumTries
    self.retries = retries
    self.longestPause = longestPause
    self.interval = interval
    self.concurrency = concurrency
    self.concurrencyPerHost = concurrencyPerHost
    self.deadLetterLimit = deadLetterLimit
    self.deadLetterLifetime = deadLetterLifetime
  }

  /// Long enough to send and to say what came of it, with a Redis that is away for a moment.
  var leaseTime: Duration { timeout + settleTime + .seconds(5) }
  var settleTime: Duration { .seconds(20) }
  /// The same for what is given back by a process that ends.
  var releaseTime: Duration { .seconds(5) }
}

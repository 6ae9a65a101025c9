import CurlClient
import Logging
import RedisClient
import Retrying
import Synchronization

/// Sends the callbacks that are due. Any number of processes may do so: each callback is with one of
/// them at a time, and one whose process dies is sent by another.
///
/// Each is delivered at least once, and again only when the answer of the receiver or the note of it
/// in Redis was lost; receivers tell repetitions by `Kiosk-Event-Id`.
package final class CallbackDeliverer: Sendable {
  private struct Load {
    var count = 0
    var hosts: [String: Int] = [:]
  }

  /// How deep other hosts' callbacks are looked for behind those of a host that is busy.
  private static let depth = 10_000

  let outbox: CallbackOutbox
  let settings: CallbackSettings
  private let client = Mutex<HTTPClient?>(nil)
  let logger: Logger
  private let load = Mutex(Load())
  private let alarm = Alarm()

  package init(
    _ redis: RedisClient, settings: CallbackSettings, logger: Logger = Logger(label: "callbacks")
  ) {
    outbox = CallbackOutbox(redis)
    self.settings = settings
    self.logger = logger
  }

  /// Made when the first callback is due: most processes never send one, and libcurl takes memory.
  ///
  /// - Throws: `HTTPError` when there is no thread or memory.
  func http() throws(HTTPError) -> HTTPClient {
    try client.withLock { client throws(HTTPError) in
      if let client { return client }
      let made = try HTTPClient(
        HTTPClientConfiguration(
          userAgent: settings.userAgent, addresses: settings.addresses,
          authorityFile: settings.authorityFile, connectionsPerHost: settings.concurrencyPerHost,
          connections: settings.concurrency))
      client = made
      return made
    }
  }

  /// Sends callbacks until the task is cancelled; then gives back what is on its way, and returns.
  package func run() async {
    await withDiscardingTaskGroup { group in
      var lastSearch: ContinuousClock.Instant?
      while !Task.isCancelled {
        // Behind a busy host's callbacks others may be due, which takes a longer look.
        let isSearch = lastSearch.map { $0.duration(to: .now) >= settings.interval } ?? true
        if isSearch { lastSearch = .now }
        let pause: Duration
        do {
          pause = try await send(search: isSearch, in: &group)
        } catch {
          if !Task.isCancelled {
            logger.debug("cannot look for callbacks", metadata: ["error": "\(error)"])
          }
          pause = settings.interval
        }
        // Many processes that began together do not look together.
        await alarm.wait(atMost: min(pause, settings.interval * Double.random(in: 0.8...1.2)))
      }
      group.cancelAll()
    }
  }

  /// Looks for callbacks at once, as after the end of a job.
  package func wake() { alarm.ring() }

  /// - Returns: how long nothing more will be due, as far as is known.
  private func send(
    search: Bool, in group: inout DiscardingTaskGroup
  ) async throws -> Duration {
    var rank = 0
    while true {
      let (free, hosts) = load.withLock { (settings.concurrency - $0.count, $0.hosts) }
      guard free > 0 else { return settings.interval }
      let token = String(UInt64.random(in: .min ... .max), radix: 36)
      let look = try await outbox.claim(
        upTo: free, token: token, lease: settings.leaseTime, from: rank,
        perHost: settings.concurrencyPerHost, hosts: hosts)
      for callback in look.callbacks {
        begin(callback)
        group.addTask {
          await self.deliver(callback, token: token)
          self.end(callback)
        }
      }
      rank += look.passed
      guard search, look.hasMore, rank < Self.depth else {
        return look.nextDue ?? settings.interval
      }
    }
  }

  private func begin(_ callback: Callback) {
    load.withLock { load in
      load.count += 1
      load.hosts[callback.host, default: 0] += 1
    }
  }

  private func end(_ callback: Callback) {
    load.withLock { load in
      load.count -= 1
      let left = (load.hosts[callback.host] ?? 1) - 1
      load.hosts[callback.host] = left > 0 ? left : nil
    }
    alarm.ring()
  }
}

import CurlClient
import Glibc
import Logging
import Metrics
import RedisClient
import Retrying

extension CallbackDeliverer {
  /// Sends a callback once and writes what came of it.
  func deliver(_ callback: Callback, token: String) async {
    let outcome: CallbackOutbox.Outcome
    do {
      if callback.tries > settings.maximumTries {
        outcome = .dead("given up: the last of \(callback.tries - 1) tries was not heard of again")
      } else {
        outcome = self.outcome(of: try await post(callback), callback)
      }
    } catch {
      outcome = .release
    }
    // What came of it has to be written also when the process is to end; it has limits of its own.
    await Task { await settle(callback, token: token, outcome) }.value
  }

  /// - Throws: `CancellationError`.
  private func post(_ callback: Callback) async throws -> Verdict {
    let now = time(nil)
    do {
      let url = try HTTPURL(callback.url)
      let timestamp = String(now)
      var fields = [
        HTTPField("Content-Type", "application/json"),
        // Job keys are made by others.
        HTTPField("Kiosk-Event-Id", encoding: callback.id),
        HTTPField("Kiosk-Timestamp", timestamp),
      ]
      if let secret = settings.secret {
        fields.append(
          HTTPField(
            "Kiosk-Signature", secret.signature(timestamp: timestamp, body: callback.body)))
      }
      let timeouts = HTTPTimeouts(
        connect: settings.timeout, total: settings.timeout, stall: settings.timeout)
      let request = HTTPRequest(
        "POST", url, fields: fields, body: HTTPBytes(callback.body), timeouts: timeouts)
      // What the receiver has to say is of no use; a short body is read to keep the connection.
      let response = try await http().send(request, bodyLimit: 4096, overflow: .cut)
      return Verdict(response.head, now: now)
    } catch let error as CancellationError {
      throw error
    } catch {
      return Verdict(error)
    }
  }

  private func outcome(of verdict: Verdict, _ callback: Callback) -> CallbackOutbox.Outcome {
    switch verdict {
    case .delivered: return .delivered
    case .refused(let reason): return .dead(reason)
    case .postponed(let reason, let wait):
      guard callback.tries < settings.maximumTries else {
        return .dead("given up after \(callback.tries) tries: \(reason)")
      }
      let planned = settings.retries.delay(beforeRetry: callback.tries)
      return .retry(after: max(planned, min(wait ?? .zero, settings.longestPause)), reason)
    }
  }

  private func settle(
    _ callback: Callback, token: String, _ outcome: CallbackOutbox.Outcome
  ) async {
    report(callback, outcome)
    let policy = RetryPolicy(
      name: "settle", base: .milliseconds(100), cap: .seconds(2),
      timeLimit: outcome == .release ? settings.releaseTime : settings.settleTime)
    do {
      try await retry(
        policy: { ($0 as? RedisError)?.isRetryable == true ? policy : nil },
        operation: {
          _ = try await outbox.settle(callback.entry, token: token, outcome, settings: settings)
        })
    } catch {
      // It is sent again once its lease has ended.
      logger.warning(
        "a callback may be sent twice",
        metadata: ["callback": "\(callback.id)", "error": "\(error)"])
    }
  }

  private func report(_ callback: Callback, _ outcome: CallbackOutbox.Outcome) {
    var metadata: Logger.Metadata = [
      "callback": "\(callback.id)", "host": "\(callback.host)", "tries": "\(callback.tries)",
    ]
    let name: String
    switch outcome {
    case .delivered:
      name = "delivered"
      logger.debug("sent a callback", metadata: metadata)
    case .release: name = "released"
    case .retry(let delay, let reason):
      name = "retried"
      metadata["error"] = "\(reason)"
      metadata["seconds"] = "\(delay.components.seconds)"
      logger.warning("a callback will be sent again", metadata: metadata)
    case .dead(let reason):
      name = "dead"
      metadata["error"] = "\(reason)"
      logger.error("a callback is given up", metadata: metadata)
    }
    Counter(label: "kiosk_callbacks_total", dimensions: [("outcome", name)]).increment()
  }
}

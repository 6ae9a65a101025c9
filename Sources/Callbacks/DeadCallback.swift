import CurlClient
import JobQueue
import RedisClient

/// A callback that was given up.
package struct DeadCallback: Sendable, Hashable {
  package let id: String
  package let job: String
  package let queue: String
  /// How the job ended.
  package let event: String
  /// Scheme, host and port; the rest of a URL may be secret.
  package let server: String
  package let tries: Int
  package let reason: String
  /// When it was given up: milliseconds since 1970 by the server's clock.
  package let time: Int

  /// Whether a text is in the job's key, the server or the reason, in letters of either case.
  func matches(_ text: String) -> Bool {
    let text = text.lowercased()
    return [job, server, reason].contains { $0.lowercased().contains(text) }
  }
}

extension CallbackOutbox {
  /// Callbacks looked at; those beyond are not found.
  package static let deadLetterDepth = 10_000
  /// Callbacks asked for in one exchange.
  private static let page = 200

  /// The callbacks that were given up, the latest first.
  ///
  /// - Parameters:
  ///   - queue: of their jobs; nil for all.
  ///   - text: must be in the job's key, the server or the reason; nil for all.
  package func deadLetters(
    of queue: String? = nil, matching text: String? = nil, upTo count: Int = 100
  ) async throws -> [DeadCallback] {
    var found: [DeadCallback] = []
    var seen = 0
    while found.count < count, seen < Self.deadLetterDepth {
      let reply = try await redis.send(
        RedisCommand(
          "ZRANGE", Keys.deadCallbacks, seen, seen + Self.page - 1, "REV", "WITHSCORES",
          idempotent: true))
      let values = reply.array ?? []
      let callbacks = try await read(values).filter { callback in
        (queue == nil || callback.queue == queue) && (text.map(callback.matches) ?? true)
      }
      found += callbacks.prefix(count - found.count)
      seen += Self.page
      if values.count < 2 * Self.page { break }
    }
    return found
  }

  /// - Parameter values: ids and times alternating.
  private func read(_ values: [RedisValue]) async throws -> [DeadCallback] {
    let starts = stride(from: 1, to: values.count, by: 2)
    let prefix = Array(Keys.callback("").utf8)
    let replies = try await redis.pipeline(
      starts.map {
        RedisCommand(
          "HMGET", prefix + (values[$0 - 1].bytes ?? []), "url", "tries", "last_error", "job",
          "queue", "event", idempotent: true)
      })
    return zip(starts, replies).compactMap { index, reply in
      // One whose hash has expired cannot be sent again.
      guard let parts = reply.array, parts.count == 6, let url = parts[0].string else { return nil }
      let time = values[index].string.flatMap { Double($0) } ?? 0
      return DeadCallback(
        id: values[index - 1].repairedText, job: parts[3].repairedText,
        queue: parts[4].repairedText, event: parts[5].repairedText,
        server: (try? HTTPURL(url)).map { "\($0)" } ?? "an unreadable URL",
        tries: parts[1].integer ?? 0, reason: parts[2].repairedText,
        time: Int(exactly: time.rounded()) ?? 0)
    }
  }
}

import Foundation
import Synchronization
import TestSupport

/// Receives what jobs tell of their ends.
final class CallbackReceiver: Sendable {
  struct Delivery: Sendable, Hashable {
    let time: ContinuousClock.Instant
    let body: String
    let fields: [String: String]
  }

  private let server: TestWebServer
  private let log: Log

  private final class Log: Sendable {
    struct State {
      var deliveries: [String: [Delivery]] = [:]
      var isRefusing = false
      var count = 0
    }
    let state = Mutex(State())
  }

  init() async throws {
    let log = Log()
    self.log = log
    server = try await TestWebServer { request in
      log.state.withLock { state in
        // Not noted: such a receiver has not got it.
        if state.isRefusing { return .respond(503, fields: ["retry-after": "1"]) }
        let fields =
          (try? JSONDecoder().decode([String: String].self, from: Data(request.body))) ?? [:]
        state.deliveries[fields["id"] ?? "", default: []].append(
          Delivery(
            time: .now, body: String(decoding: request.body, as: UTF8.self), fields: fields))
        state.count += 1
        return .respond(204)
      }
    }
  }

  var port: Int { server.port }

  func url(_ number: Int) -> String { server.url("/hook/\(number)") }

  /// Whether it answers that it cannot receive now.
  func refuse(_ isRefusing: Bool) { log.state.withLock { $0.isRefusing = isRefusing } }

  /// All that came in this round, by event id, in the order in which it came.
  var deliveries: [String: [Delivery]] { log.state.withLock { $0.deliveries } }
  var count: Int { log.state.withLock { $0.count } }

  func forget() { log.state.withLock { $0.deliveries = [:] } }
}

import NIOCore
import NIOPosix
import Synchronization

/// A request that a ``FaultProxy`` saw.
public struct ProxiedRequest: Sendable {
  /// From 0, over all connections.
  public let number: Int
  /// Which connection it came on, from 0.
  public let connection: Int
  public let method: String
  /// Path and query.
  public let target: String
  /// Names are in lower case.
  public let fields: [String: String]
}

/// An HTTP/1.1 proxy before a store of this host, which damages what passes as a script says.
///
/// Bytes pass as they are, so signatures stay valid. Clients must not send a request before the
/// answer to the one before.
public final class FaultProxy: Sendable {
  private let listener: TestListener
  private let script: FaultScript

  public var port: Int { listener.port }
  /// `http://127.0.0.1:PORT`.
  public var endpoint: String { "http://127.0.0.1:\(port)" }

  /// - Parameter port: of the store; connected to when something is to be forwarded.
  public init(to port: Int) async throws {
    let script = FaultScript()
    self.script = script
    listener = try await TestListener { client in
      let connection = FaultConnection(
        client, number: script.addConnection(client), script: script, storePort: port)
      try client.pipeline.syncOperations.addHandler(ClientHandler(connection))
    }
  }

  deinit { cut() }

  /// Adds a rule. The first rule that applies to a request is used, once for each of `times`.
  ///
  /// - Parameters:
  ///   - times: requests that get the fault.
  ///   - skipping: requests that the rule would apply to and that go unharmed before.
  public func inject(
    _ fault: Fault, times: Int = 1, skipping: Int = 0,
    where applies: @escaping @Sendable (ProxiedRequest) -> Bool = { _ in true }
  ) {
    script.add(.init(fault: fault, times: times, skipping: skipping, applies: applies))
  }

  /// Adds a rule for requests of a method whose path and query contain a text.
  public func inject(
    _ fault: Fault, times: Int = 1, skipping: Int = 0, _ method: String, _ text: String = ""
  ) {
    inject(fault, times: times, skipping: skipping) {
      $0.method == method && (text.isEmpty || $0.target.contains(text))
    }
  }

  /// Removes all rules.
  public func heal() { script.state.withLock { $0.rules = [] } }

  /// Closes all connections; new ones are accepted.
  public func cut() {
    for channel in script.state.withLock({ $0.open.values }) { channel.close(promise: nil) }
  }

  /// All that came so far.
  public var requests: [ProxiedRequest] { script.state.withLock { $0.requests } }
  /// Faults that requests got so far.
  public var faultCount: Int { script.state.withLock { $0.faults } }
  /// Connections accepted so far.
  public var connectionCount: Int { script.state.withLock { $0.connections } }
  public var openConnectionCount: Int { script.state.withLock { $0.open.count } }
}

/// The rules of a ``FaultProxy`` and what it has counted.
final class FaultScript: Sendable {
  struct Rule: Sendable {
    var fault: Fault
    var times: Int
    var skipping: Int
    var applies: @Sendable (ProxiedRequest) -> Bool
  }

  struct State {
    var rules: [Rule] = []
    var requests: [ProxiedRequest] = []
    var faults = 0
    var connections = 0
    var open: [Int: any Channel] = [:]
  }

  let state = Mutex(State())

  func add(_ rule: Rule) { state.withLock { $0.rules.append(rule) } }

  /// Counts a connection and gives it a number.
  func addConnection(_ channel: any Channel) -> Int {
    state.withLock { state in
      state.open[state.connections] = channel
      state.connections += 1
      return state.connections - 1
    }
  }

  func removeConnection(_ number: Int) { state.withLock { $0.open[number] = nil } }

  /// Notes a request and says what becomes of it.
  func fault(
    for head: (method: String, target: String, fields: [String: String]), connection: Int
  ) -> Fault? {
    state.withLock { state in
      let request = ProxiedRequest(
        number: state.requests.count, connection: connection, method: head.method,
        target: head.target, fields: head.fields)
      state.requests.append(request)
      for index in state.rules.indices where state.rules[index].applies(request) {
        if state.rules[index].skipping > 0 {
          state.rules[index].skipping -= 1
        } else if state.rules[index].times > 0 {
          state.rules[index].times -= 1
          state.faults += 1
          return state.rules[index].fault
        }
      }
      return nil
    }
  }
}

import Retrying
import Synchronization

/// A few connections to one server name. A call takes the one with the fewest calls in flight; each
/// is replaced when it has reached its age, so that a Service with one address spreads load anew and
/// names are resolved again.
final class ChannelPool: Sendable {
  private struct Slot {
    var channel: Channel
    var expires: Duration?
    /// What takes over once it is connected.
    var successor: Channel?
    var inFlight = 0
  }

  private let configuration: ServingConfiguration
  private let clock: AnyClock
  private let slots = Mutex<[Slot]>([])

  init(_ configuration: ServingConfiguration, clock: AnyClock) {
    self.configuration = configuration
    self.clock = clock
  }

  /// Runs `body` with a connection, which is kept for other calls.
  func withChannel<Result>(_ body: (Channel) async throws -> Result) async throws -> Result {
    let (index, channel) = try take()
    defer { slots.withLock { $0[index].inFlight -= 1 } }
    return try await body(channel)
  }

  private func take() throws(ShimError) -> (Int, Channel) {
    let now = clock.now
    return try slots.withLock { slots throws(ShimError) -> (Int, Channel) in
      var best = slots.indices.min { slots[$0].inFlight < slots[$1].inFlight }
      if slots.count < max(configuration.connections, 1),
        best.map({ slots[$0].inFlight > 0 }) ?? true
      {
        slots.append(Slot(channel: try Channel(configuration), expires: expiry(now)))
        best = slots.count - 1
      }
      let index = best ?? 0
      try renew(&slots[index], now: now)
      slots[index].inFlight += 1
      return (index, slots[index].channel)
    }
  }

  /// Opens the successor of a connection that is too old, and puts it in place when it is connected
  /// or the old one is not. Calls on the old one go on until they end.
  private func renew(_ slot: inout Slot, now: Duration) throws(ShimError) {
    guard let expires = slot.expires, now >= expires else { return }
    let successor = if let opened = slot.successor { opened } else { try Channel(configuration) }
    if successor.state == .ready || slot.channel.state != .ready {
      slot.channel = successor
      slot.expires = expiry(now)
      slot.successor = nil
    } else {
      successor.connect()
      slot.successor = successor
    }
  }

  private func expiry(_ now: Duration) -> Duration? {
    configuration.connectionMaximumAge.map { now + $0 * Double.random(in: 0.8...1.2) }
  }

  /// Gives up a connection over which the server could not be reached, so that the next call resolves
  /// its name again at once: gRPC itself waits up to two minutes after a failed look-up.
  func discard(_ channel: Channel) {
    guard channel.state != .ready else { return }
    let now = clock.now
    slots.withLock { slots in
      for index in slots.indices where slots[index].channel === channel {
        guard let fresh = try? Channel(configuration) else { continue }  // else the old one goes on
        slots[index].channel = fresh
        slots[index].expires = expiry(now)
      }
    }
  }

  /// How many connections are in each state.
  var states: [Channel.State: Int] {
    Dictionary(slots.withLock { $0.map { ($0.channel.state, 1) } }, uniquingKeysWith: +)
  }
}

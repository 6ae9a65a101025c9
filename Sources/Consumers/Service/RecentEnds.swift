import JobQueue
import Synchronization

/// The ends that this process reported lately, for a Redis that turns out not to have them: replication
/// is asynchronous, and a failover or a restart may lose what was confirmed last.
final class RecentEnds: Sendable {
  struct Entry: Sendable {
    let report: EndReport
    /// What came of it.
    let outcome: Ending.Outcome
    /// The connection it was sent over, or an earlier one.
    fileprivate(set) var connection: Int
    fileprivate(set) var time = ContinuousClock.now
  }

  private struct State {
    var entries: [Entry] = []
    var byteCount = 0

    mutating func removeAll(where condition: (Entry) -> Bool) {
      entries.removeAll(where: condition)
      byteCount = entries.reduce(0) { $0 + $1.report.byteCount }
    }

    mutating func removeOlderHalf() {
      let count = (entries.count + 1) / 2
      byteCount -= entries.prefix(count).reduce(0) { $0 + $1.report.byteCount }
      entries.removeFirst(count)
    }
  }

  private let state = Mutex(State())

  /// How long a replica may lag behind.
  private let lifetime: Duration
  private static let mostEntries = 1000
  private static let mostBytes = 4 << 20

  init(keepingFor lifetime: Duration = .seconds(10)) {
    self.lifetime = lifetime
  }

  /// Notes a report that Redis has confirmed.
  func note(_ report: EndReport, _ outcome: Ending.Outcome, on connection: Int) {
    state.withLock { state in
      state.entries.append(Entry(report: report, outcome: outcome, connection: connection))
      state.byteCount += report.byteCount
      while state.entries.count > Self.mostEntries || state.byteCount > Self.mostBytes {
        // Half of them at once, so that it is rare.
        state.removeOlderHalf()
      }
    }
  }

  /// Forgets what was sent long enough ago over a connection that answered just now. What was sent
  /// before the connection was lost is kept, however long the outage: what counts is how long before
  /// it.
  func heard(on connection: Int) {
    let now = ContinuousClock.now
    state.withLock { state in
      state.removeAll { $0.connection == connection && $0.time.duration(to: now) > lifetime }
    }
  }

  /// What may be missing on a new connection.
  func entries(before connection: Int) -> [Entry] {
    state.withLock { state in state.entries.filter { $0.connection < connection } }
  }

  /// Jobs that have ended for good, as far as this process knows.
  var endedKeys: [String] {
    state.withLock { state in
      state.entries.compactMap { [.retry, .released].contains($0.outcome) ? nil : $0.report.key }
    }
  }

  /// Notes what sending an entry again over a new connection has shown.
  func settle(_ entry: Entry, _ outcome: Ending.Outcome, on connection: Int) {
    let isOver = outcome == .lost || outcome == .gone
    state.withLock { state in
      guard let index = state.entries.firstIndex(where: { $0.report.token == entry.report.token })
      else { return }
      if isOver {
        state.byteCount -= state.entries.remove(at: index).report.byteCount
      } else {
        state.entries[index].connection = connection
        state.entries[index].time = .now
      }
    }
  }
}

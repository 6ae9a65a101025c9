import JobQueue
import Retrying
import Synchronization

/// Keeps a process from taking jobs while those it has wait for a model server that is away: they
/// would wait as well. They stay in the queue, where others can take them and more urgent ones can
/// come first.
///
/// One answer of any model shows that the server is there, so what waits on although others are
/// answered keeps nobody from working. When nobody is left to be answered, a job is taken now and then
/// to find out.
final class ModelBreaker: Sendable {
  private struct State {
    /// Since when jobs wait.
    var waiting: [OwnerToken: ContinuousClock.Instant] = [:]
    /// When a model answered last.
    var lastAnswer: ContinuousClock.Instant?
    /// When a job may be taken all the same.
    var nextProbe = ContinuousClock.now

    var isTripped: Bool {
      guard let lastAnswer else { return !waiting.isEmpty }
      return waiting.values.contains { $0 > lastAnswer }
    }
  }

  private let state = Mutex(State())
  private let probeInterval: Duration
  private let alarm = Alarm()

  init(probeInterval: Duration) {
    self.probeInterval = probeInterval
  }

  /// Notes that a job waits for a model server that is away.
  func began(_ token: OwnerToken) {
    state.withLock { state in
      guard state.waiting[token] == nil else { return }
      let wasTripped = state.isTripped
      state.waiting[token] = .now
      if !wasTripped { state.nextProbe = .now + probeInterval }
    }
  }

  /// Notes that a job does not wait any more, for whatever reason.
  func ended(_ token: OwnerToken) {
    let isNews = state.withLock { $0.waiting.removeValue(forKey: token) != nil }
    if isNews { alarm.ring() }
  }

  /// Notes that a model answered.
  func answered() {
    let isNews = state.withLock { state in
      defer { state.lastAnswer = .now }
      return state.isTripped
    }
    if isNews { alarm.ring() }
  }

  /// How many of the jobs wanted may be taken now.
  func allowance(of count: Int) -> Int {
    state.withLock { state in
      state.isTripped ? (state.nextProbe <= .now ? min(count, 1) : 0) : count
    }
  }

  /// Notes that jobs were taken.
  func tookJobs() {
    state.withLock { $0.nextProbe = .now + probeInterval }
  }

  /// Waits until jobs may be taken, perhaps, or the task is cancelled. For one task at a time.
  func waitUntilAllowed() async {
    let probe = state.withLock { $0.nextProbe }
    await alarm.wait(atMost: max(.zero, ContinuousClock.now.duration(to: probe)))
  }
}

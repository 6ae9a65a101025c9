import Synchronization

/// What is known of all files of this call, as lines on a terminal or as a plain log.
final class ProgressBoard: Sendable {
  /// One file or job; given by ``add(_:since:)``.
  struct ID: Hashable, Sendable { fileprivate let index: Int }

  private struct Entry {
    let name: String
    let start: ContinuousClock.Instant
    var progress: JobProgress
    var workStart: ContinuousClock.Instant?
    var end: ContinuousClock.Instant?

    func line(at now: ContinuousClock.Instant) -> ProgressLine {
      let now = end ?? now
      return ProgressLine(
        name: name, progress: progress, elapsed: start.duration(to: now),
        working: workStart?.duration(to: now))
    }
  }

  private struct State {
    var entries: [Entry] = []
    /// Entries that are not final, in order of their coming.
    var open: [Int] = []
    /// Final entries whose lines may still have to make room.
    var finished: [Int] = []
    var failed = 0

    mutating func finish(_ index: Int, at now: ContinuousClock.Instant) {
      entries[index].end = now
      open.removeAll { $0 == index }
      finished.append(index)
      if entries[index].progress.stage == .failed { failed += 1 }
    }
  }

  /// Lines shown at a time; more become a summary.
  static let lineLimit = 10
  private static let redrawInterval: Duration = .milliseconds(100)

  private let console: Console
  private let state = Mutex(State())

  init(_ console: Console) { self.console = console }

  private var isLive: Bool { console.style.isTerminal && !console.isQuiet }

  /// - Parameter start: when it began, for jobs that are older than this call.
  func add(_ name: String, _ stage: JobProgress.Stage, since start: ContinuousClock.Instant = .now)
    -> ID
  {
    let progress = JobProgress(stage: stage)
    let id = state.withLock { state in
      state.open.append(state.entries.count)
      state.entries.append(Entry(name: name, start: start, progress: progress))
      if stage.isFinal { state.finish(state.entries.count - 1, at: .now) }
      return ID(index: state.entries.count - 1)
    }
    if !isLive { console.note(plainLine(name, progress)) }
    return id
  }

  func update(_ id: ID, _ progress: JobProgress) {
    let now = ContinuousClock.now
    let (entry, before) = state.withLock { state in
      let before = state.entries[id.index].progress
      state.entries[id.index].progress = progress
      if case .working = progress.stage, state.entries[id.index].workStart == nil {
        state.entries[id.index].workStart = now
      }
      if progress.stage.isFinal, !before.stage.isFinal { state.finish(id.index, at: now) }
      return (state.entries[id.index], before)
    }
    guard !isLive, progress.plainText != before.plainText else { return }
    if progress.stage == .failed { return }  // told as an error, with the reason
    let took = progress.stage == .done ? " after \(entry.start.duration(to: now).shortText)" : ""
    console.note(plainLine(entry.name, progress) + took)
  }

  private func plainLine(_ name: String, _ progress: JobProgress) -> String {
    var line = "\(name.printable): \(progress.plainText)"
    if case .queued(let position?) = progress.stage { line += " (position \(position) in queue)" }
    return line
  }

  /// Redraws while `body` runs, at most ten times a second, and leaves the final lines.
  func whileShown(_ body: () async throws -> Void) async rethrows {
    async let _ = redraw()
    try await body()
  }

  private func redraw() async {
    guard isLive else { return }
    while !Task.isCancelled {
      draw()
      try? await Task.sleep(for: Self.redrawInterval)
    }
    draw()
    console.endLive()
  }

  private func draw() {
    let now = ContinuousClock.now
    let (columns, rows) = Console.size
    let limit = max(1, min(Self.lineLimit, rows - 2))
    let (finished, entries, total, open, failed) = state.withLock { state in
      let fits = state.entries.count <= limit
      let finished = fits ? [] : state.finished.map { state.entries[$0] }
      if !fits { state.finished = [] }
      return (
        finished, fits ? state.entries : state.open.prefix(limit).map { state.entries[$0] },
        state.entries.count, state.open.count, state.failed
      )
    }
    // Beyond the limit, finished lines make room by moving up for good.
    for entry in finished {
      console.note(entry.line(at: now).text(width: columns, style: console.style))
    }
    var lines = entries.map { $0.line(at: now).text(width: columns, style: console.style) }
    if total > limit {
      let done = total - open - failed
      let summary = "\(done) of \(total) done, \(failed) failed, \(open) to go"
      lines.append(summary.shortened(to: columns - 1, ellipsis: console.style.ellipsis))
    }
    console.setLive(lines)
  }
}

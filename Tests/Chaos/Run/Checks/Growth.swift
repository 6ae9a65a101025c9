/// What processes held early in a run, to compare with what they hold at its end.
struct Growth: Sendable {
  private let usages: [(worker: WorkerProcess, usage: WorkerProcess.Usage)]

  /// Connections of which a client keeps some and closes the others.
  private static let descriptors = 8
  private static let bytes = 24 << 20

  init(_ workers: [WorkerProcess]) {
    usages = workers.compactMap { worker in worker.usage.map { (worker, $0) } }
  }

  func check(_ workers: [WorkerProcess], _ failures: Failures, _ tally: Tally) {
    for (worker, early) in usages {
      guard let now = worker.usage else { return failures.add("\(worker.name) has ended") }
      let name = worker.name
      failures.expect(
        now.resident - early.resident <= Self.bytes,
        "\(name) grew from \(early.resident >> 10) to \(now.resident >> 10) KiB")
      failures.expect(
        now.descriptors - early.descriptors <= Self.descriptors,
        "\(name) had \(early.descriptors) descriptors and has \(now.descriptors)")
      tally.add("\(name): KiB at first", early.resident >> 10)
      tally.add("\(name): KiB at the end", now.resident >> 10)
      tally.add("\(name): descriptors at first", early.descriptors)
      tally.add("\(name): descriptors at the end", now.descriptors)
    }
  }
}

import NIOCore

/// Asks several addresses for the primary: one after the other, but without waiting for those that
/// are slow, so that a dead one costs nothing and a frozen one a moment.
struct SentinelRound: Sendable {
  /// An address that has not answered by then is not waited for any more, though it may still answer.
  private static let patience = Duration.milliseconds(250)

  let query: SentinelQuery
  /// In the order of asking.
  let addresses: [RedisEndpoint]
  /// Reports that are older than this are used only if there is no better one.
  let knownEpoch: Int

  private enum Event {
    case report(PrimaryReport)
    case failure(any Error)
    case patienceEnded
  }

  /// The first report that is not outdated, else the latest of those that are.
  ///
  /// - Throws: the first failure if there is no report; `CancellationError`.
  func run(until deadline: NIODeadline) async throws -> PrimaryReport {
    try await withThrowingTaskGroup(of: Event.self) { group in
      defer { group.cancelAll() }
      var rest = addresses[...]
      var unanswered = 0
      var best: PrimaryReport?
      var failures: [any Error] = []

      func askNext() {
        guard let address = rest.popFirst() else { return }
        unanswered += 1
        group.addTask {
          do {
            return .report(try await query.ask(address, until: deadline))
          } catch {
            return .failure(error)
          }
        }
        group.addTask {
          try? await Task.sleep(for: Self.patience)
          return .patienceEnded
        }
      }

      askNext()
      while unanswered > 0, let event = try await group.next() {
        switch event {
        case .report(let report):
          if report.epoch >= knownEpoch { return report }
          unanswered -= 1
          if report.epoch > best?.epoch ?? -1 { best = report }
        case .failure(let error):
          unanswered -= 1
          failures.append(error)
        case .patienceEnded: break
        }
        askNext()
      }
      try Task.checkCancellation()
      if let best { return best }
      throw Self.summary(of: failures)
    }
  }

  /// One failure that another attempt may overcome makes the whole one such.
  private static func summary(of failures: [any Error]) -> any Error {
    let errors = failures.compactMap { $0 as? RedisError }
    guard let first = errors.first(where: \.isRetryable) ?? errors.first else {
      return failures.first
        ?? RedisError(.invalidConfiguration, reason: "REDIS_HOST names no server")
    }
    guard errors.count > 1 else { return first }
    return RedisError(
      first.code, reason: errors.map(\.reason).joined(separator: "; "))
  }
}

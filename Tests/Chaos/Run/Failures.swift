import Synchronization

/// What was found that must not be.
struct Failure: Sendable {
  let what: String
  let job: String?
}

final class Failures: Sendable {
  private let found = Mutex<[Failure]>([])

  /// More say nothing new.
  private static let limit = 200

  func add(_ what: String, job: String? = nil) {
    found.withLock { if $0.count < Self.limit { $0.append(Failure(what: what, job: job)) } }
  }

  func expect(_ condition: Bool, _ what: @autoclosure () -> String, job: String? = nil) {
    if !condition { add(what(), job: job) }
  }

  var all: [Failure] { found.withLock { $0 } }
  var isEmpty: Bool { all.isEmpty }
}

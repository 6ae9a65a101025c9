import Glibc

/// What a piece of work took.
struct Usage {
  var seconds: Double
  /// Processor time in user and kernel mode.
  var processorSeconds: Double

  /// - Parameter who: this process, or programs that it ran and that have ended.
  static func of(_ who: Who, _ body: () async throws -> Void) async rethrows -> Usage {
    let before = processorTime(who)
    let time = try await ContinuousClock().measure { try await body() }
    return Usage(seconds: time / .seconds(1), processorSeconds: processorTime(who) - before)
  }

  enum Who { case ourselves, programs }

  private static func processorTime(_ who: Who) -> Double {
    var usage = rusage()
    let number = who == .ourselves ? RUSAGE_SELF.rawValue : RUSAGE_CHILDREN.rawValue
    getrusage(__rusage_who_t(number), &usage)
    return [usage.ru_utime, usage.ru_stime].reduce(0) {
      $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
    }
  }

  /// Measures ours and theirs in turn; the best of each counts, since other work on the machine only
  /// ever makes it slower.
  static func best(
    rounds: Int = 3, ours: () async throws -> Void, theirs: () async throws -> Void
  ) async rethrows -> (ours: Usage, theirs: Usage) {
    var best = (ours: Usage.worst, theirs: Usage.worst)
    for _ in 0..<rounds {
      best.ours = min(best.ours, try await of(.ourselves, ours))
      best.theirs = min(best.theirs, try await of(.programs, theirs))
    }
    return best
  }

  private static var worst: Usage { Usage(seconds: .infinity, processorSeconds: .infinity) }

  private static func min(_ one: Usage, _ other: Usage) -> Usage {
    one.seconds <= other.seconds ? one : other
  }
}

/// Prints a line of the table of one server.
func row(_ quantity: String, _ ours: String, _ theirs: String, _ comparison: String) {
  print(quantity.padded(42) + ours.padded(28) + theirs.padded(28) + comparison)
  fflush(nil)
}

extension String {
  fileprivate func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(1, width - count))
  }
}

extension Double {
  var hundredths: String { "\((self * 100).rounded() / 100)" }
}

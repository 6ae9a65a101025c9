import Serving
import Synchronization

/// Which Predict calls fail on purpose.
package final class FaultPlan: Sendable {
  /// `N:CODE`: every n-th call ends with this code.
  package struct Fault: Sendable {
    let every: Int
    let code: StatusCode

    private static let codes: [String: StatusCode] = [
      "UNAVAILABLE": .unavailable, "DEADLINE_EXCEEDED": .deadlineExceeded,
      "RESOURCE_EXHAUSTED": .resourceExhausted, "INTERNAL": .internal,
    ]

    package static let codeNames = codes.keys.sorted().joined(separator: ", ")

    /// What the caller is told.
    var reason: String { "injected: every call number divisible by \(every) ends so" }

    package init?(argument: String) {
      let parts = argument.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let every = Int(parts[0]), every > 0,
        let code = Self.codes[parts[1].uppercased()]
      else { return nil }
      self.every = every
      self.code = code
    }
  }

  private let faults: [Fault]
  private let calls = Atomic(0)

  package init(_ faults: [Fault]) { self.faults = faults }

  /// The fault by which the next call is to end; nil if it is to succeed.
  func next() -> Fault? {
    let number = calls.add(1, ordering: .relaxed).newValue
    return faults.first { number.isMultiple(of: $0.every) }
  }
}

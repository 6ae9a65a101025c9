import Synchronization

/// What calls have taught about each model, for the life of the process.
final class ModelMemory: Sendable {
  struct Facts: Sendable {
    /// The largest batch the server takes.
    var maximumBatch: Int?
    /// Names of all outputs, once a reply had them all.
    var outputs: [String]?
    /// Whether a server has ever answered for it.
    var isKnown = false
  }

  private let facts = Mutex<[ModelName: Facts]>([:])

  /// Any job can name a new model; forgetting costs a call that is split again, no more.
  private static let capacity = 256

  subscript(model: ModelName) -> Facts { facts.withLock { $0[model] ?? Facts() } }

  func learn(_ model: ModelName, _ change: (inout Facts) -> Void) {
    facts.withLock { facts in
      if facts[model] == nil, facts.count >= Self.capacity { facts.removeAll() }
      change(&facts[model, default: Facts()])
    }
  }
}

/// What a job of the chaos test does, as its hash says it.
package struct ChaosTask: Sendable, Hashable {
  package enum Kind: String, Sendable, CaseIterable {
    /// Reads its input and writes a result.
    case plain
    /// The same, and takes its time.
    case slow
    /// Computes without looking whether it is to stop, and reports its end whatever happened.
    case stubborn
    /// Gives no sign of life the first time.
    case silent
    /// Has a bad input.
    case wrong
    /// Fails for reasons that pass.
    case passing
    /// Fails for reasons that could pass and do not.
    case hopeless
    /// Takes longer than it may.
    case overdue
    /// Waits for all of its children.
    case parent
    /// Waits for its children until one has failed.
    case hasty
    /// Kills its process.
    case poison
    /// A picture for `consume-redis-events` itself.
    case picture

    package var isParent: Bool { self == .parent || self == .hasty }
  }

  package var kind: Kind
  /// Milliseconds.
  package var pause: Int
  /// The attempt that goes well.
  package var passesAt: Int

  package init(_ kind: Kind, pause: Int = 0, passesAt: Int = 1) {
    (self.kind, self.pause, self.passesAt) = (kind, pause, passesAt)
  }

  /// Reads the text of a field.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/")
    guard parts.count == 3, let kind = Kind(rawValue: String(parts[0])), let pause = Int(parts[1]),
      let passesAt = Int(parts[2])
    else { return nil }
    self.init(kind, pause: pause, passesAt: passesAt)
  }

  package var text: String { "\(kind.rawValue)/\(pause)/\(passesAt)" }
}

/// The names that the test and its consumers agree upon.
package enum ChaosNames {
  /// Field with the job's task.
  package static let task = "chaos_task"
  /// Field with the tasks of its children, blanks between.
  package static let children = "chaos_children"
  /// The queue of children.
  package static let childQueue = "parts"
  /// The queue of `consume-redis-events`.
  package static let pictureQueue = "pictures"
  /// As long as there is an object of this name, consumers have no room.
  package static let full = "control/full"

  package static func childName(_ index: Int) -> String { "part \(index).txt" }
}

/// What a result says: whose it is, what it was made of, and what became of the children.
package struct ChaosResult: Sendable, Hashable {
  package struct Child: Sendable, Hashable {
    package var key: String
    package var status: String
    package var object: String

    package init(key: String, status: String, object: String) {
      (self.key, self.status, self.object) = (key, status, object)
    }
  }

  package var job: String
  package var input: String
  package var children: [Child] = []

  package init(job: String, input: String, children: [Child] = []) {
    (self.job, self.input, self.children) = (job, input, children)
  }

  package init?(_ text: String) {
    var lines = text.split(separator: "\n").map(String.init)[...]
    guard let job = lines.popFirst(), let input = lines.popFirst() else { return nil }
    (self.job, self.input) = (job, input)
    for line in lines {
      let parts = line.split(separator: "\t").map(String.init)
      guard parts.count == 3 else { return nil }
      children.append(Child(key: parts[0], status: parts[1], object: parts[2]))
    }
  }

  package var text: String {
    let lines = children.map { "\($0.key)\t\($0.status)\t\($0.object)\n" }
    return "\(job)\n\(input)\n" + lines.joined()
  }
}

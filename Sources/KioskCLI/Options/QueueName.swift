import ArgumentParser

/// A queue as a user names it.
struct QueueName: ExpressibleByArgument, Sendable, Hashable {
  /// The Redis list, which is in lower case whatever a client writes.
  let name: String

  init?(argument: String) {
    guard !argument.isEmpty, !argument.contains(where: { $0 == ":" || $0.isWhitespace }) else {
      return nil
    }
    name = argument.lowercased()
  }
}

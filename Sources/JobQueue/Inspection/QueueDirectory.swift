import RedisClient

/// The queues that there are, and who has a list of jobs in hand.
///
/// Found by SCAN: the names of queues stand in no list of their own.
package struct QueueDirectory: Sendable {
  /// In order of their names.
  package private(set) var queues: [String] = []
  /// Keys of the lists of jobs in hand, by queue; those of consumers without leases as well.
  package private(set) var processingLists: [String: [String]] = [:]
  /// Whether there was more than is looked at.
  package private(set) var isCut = false

  /// No queues.
  package init() {}

  /// Calls of SCAN for each pattern, each for a thousand keys.
  private static let callLimit = 10_000
  private static let nameLimit = 10_000

  private static let processingPrefix = "processing-"
  /// All of a queue that outlives its jobs. A list that is empty does not exist.
  private static let prefixes = [
    Keys.statistics(of: ""), Keys.configuration(of: ""), Keys.workers(of: ""),
  ]

  /// What SCAN is asked for: one glob that fits all ``prefixes``, and all lists.
  private static let searches: [[any RedisArgument]] = [
    ["MATCH", "kiosk:[scw][tfo]*", "COUNT", 1000], ["TYPE", "list", "COUNT", 1000],
  ]

  package static func read(_ redis: RedisClient) async throws -> QueueDirectory {
    var names: Set<String> = []
    var lists: Set<String> = []
    var directory = QueueDirectory()
    for search in searches {
      var cursor = "0"
      var calls = 0
      repeat {
        let reply = try await redis.send(
          RedisCommand("SCAN", arguments: [cursor] + search, idempotent: true))
        guard let parts = reply.array, parts.count == 2, let next = parts[0].string,
          let keys = parts[1].array
        else { throw RedisError(.unexpectedReply, command: "SCAN", reason: "no cursor and keys") }
        cursor = next
        calls += 1
        for key in keys.lazy.compactMap(\.string) {
          if let (queue, isProcessing) = queue(of: key) {
            names.insert(queue)
            if isProcessing { lists.insert(key) }
          }
        }
        if calls == callLimit || names.count + lists.count > nameLimit {
          directory.isCut = directory.isCut || cursor != "0"
          break
        }
      } while cursor != "0"
    }
    directory.queues = names.sorted()
    for list in lists.sorted() {
      if let (queue, _) = queue(of: list) {
        directory.processingLists[queue, default: []].append(list)
      }
    }
    return directory
  }

  /// The queue that a key tells of; nil for all other keys.
  private static func queue(of key: String) -> (name: String, isProcessing: Bool)? {
    if let prefix = prefixes.first(where: key.hasPrefix) {
      let name = String(key.dropFirst(prefix.count))
      return name.isEmpty ? nil : (name, false)
    }
    if key.hasPrefix(processingPrefix) {
      let name = key.dropFirst(processingPrefix.count).prefix { $0 != ":" }
      return name.isEmpty ? nil : (String(name), true)
    }
    // Any other list of a plain name is one that producers push to.
    return key.isEmpty || key.contains(":") ? nil : (key, false)
  }

  /// The worker that a list of jobs in hand belongs to.
  package static func worker(ofList key: String) -> String {
    String(key.drop { $0 != ":" }.dropFirst())
  }
}

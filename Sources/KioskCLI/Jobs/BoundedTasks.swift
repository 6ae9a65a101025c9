/// Calls `body` for each element as it comes, at most `limit` at a time, and waits for all.
///
/// The first error cancels the others and is thrown.
func forEach<Elements: AsyncSequence & Sendable>(
  _ elements: Elements, atMost limit: Int,
  _ body: @escaping @Sendable (Elements.Element) async throws -> Void
) async throws where Elements.Element: Sendable {
  try await withThrowingTaskGroup(of: Void.self) { group in
    var running = 0
    for try await element in elements {
      if running >= limit {
        try await group.next()
        running -= 1
      }
      group.addTask { try await body(element) }
      running += 1
    }
    try await group.waitForAll()
  }
}

extension Sequence where Element: Sendable {
  /// The elements for ``forEach(_:atMost:_:)``.
  var asStream: AsyncStream<Element> {
    AsyncStream { continuation in
      for element in self { continuation.yield(element) }
      continuation.finish()
    }
  }
}

extension Array where Element: Sendable {
  /// Transforms the elements, at most `limit` at a time, and gives each result to `body` in order of
  /// the elements.
  func forEachInOrder<Result: Sendable>(
    atMost limit: Int, _ transform: @escaping @Sendable (Element) async throws -> Result,
    _ body: (Element, Result) throws -> Void
  ) async throws {
    var rest = self[...]
    while !rest.isEmpty {
      let part = Array(rest.prefix(limit))
      rest = rest.dropFirst(part.count)
      let results = try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        for (index, element) in part.enumerated() {
          group.addTask { (index, try await transform(element)) }
        }
        var results: [Int: Result] = [:]
        for try await (index, result) in group { results[index] = result }
        return results
      }
      for (index, element) in part.enumerated() {
        if let result = results[index] { try body(element, result) }
      }
    }
  }
}

/// Runs `body`, or throws ``KioskError`` `timedOut` when it takes longer.
func withLimit(_ limit: Duration?, _ body: @escaping @Sendable () async throws -> Void) async throws
{
  guard let limit else { return try await body() }
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: limit)
      throw KioskError(.timedOut, "gave up after \(limit.shortText), as --timeout says")
    }
    defer { group.cancelAll() }
    try await group.next()
  }
}

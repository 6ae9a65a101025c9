/// Does something for each element, for up to `width` of them at a time, and hands the results out in the
/// order of the elements.
///
/// - Parameters:
///   - start: for one element, beside others.
///   - take: gets one result after the other, on the caller. At most `width` results wait for it.
func forEachInOrder<Element: Sendable, Result: Sendable>(
  _ elements: [Element], atMost width: Int,
  _ start: @escaping @Sendable (Element) async throws -> Result,
  take: (Result) async throws -> Void = { _ in }
) async throws {
  try await withThrowingTaskGroup(of: (Int, Result).self) { group in
    var ready: [Int: Result] = [:]
    var started = 0
    for next in elements.indices {
      while true {
        while started < min(elements.count, next + width) {
          let index = started
          group.addTask { (index, try await start(elements[index])) }
          started += 1
        }
        if let result = ready.removeValue(forKey: next) {
          try await take(result)
          break
        }
        guard let (index, result) = try await group.next() else { return }
        ready[index] = result
      }
    }
  }
}

/// What those who meddle in a round share.
struct Scene: Sendable {
  let stage: Stage
  let ledger: Ledger
  let dice: Dice

  /// Repeats what must come about in the end.
  func insist(_ body: () async throws -> Void) async {
    while !Task.isCancelled {
      do { return try await body() } catch { try? await Task.sleep(for: .milliseconds(200)) }
    }
  }
}

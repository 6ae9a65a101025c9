import Callbacks
import JobQueue

/// Sends callbacks again that were given up.
struct CallbackChanges: Sendable {
  let session: Session
  let console: Console

  /// Callbacks asked for at a time.
  private static let concurrency = 32

  /// All that were given up, or those with a text in them, once the user agrees.
  ///
  /// - Throws: as ``requeue(_:summarized:)``.
  func requeueAll(matching text: String?, isGiven: Bool) async throws {
    let found = try await CallbackOutbox(session.redis).deadLetters(
      matching: text, upTo: CallbackOutbox.deadLetterDepth)
    guard !found.isEmpty else { return console.note("no such callbacks were given up") }
    try await Confirmation.ask(
      "Send \(found.count) callbacks again", isGiven: isGiven, console)
    try await requeue(found.map(\.id), summarized: true)
  }

  /// - Parameters:
  ///   - ids: as `kiosk dead --callbacks` shows them.
  ///   - summarized: whether people are told a number in place of each success.
  /// - Throws: ``KioskError`` `jobFailed` when one was not given up, or has expired.
  func requeue(_ ids: [String], summarized: Bool = false) async throws {
    let outbox = CallbackOutbox(session.redis)
    var successes = 0
    try await ids.forEachInOrder(atMost: Self.concurrency) { id in
      try await outbox.requeue([id], lifetime: session.delivery.failureLifetime) == 1
    } _: { id, isBack in
      if isBack { successes += 1 }
      if console.isJSON {
        let word = isBack ? "requeued" : "missing"
        console.result(
          JSONLine("requeue", ["callback": .text(id), "outcome": .text(word)]).text)
      } else if !isBack {
        console.error("\(id.printable): no such callback was given up, or it has expired")
      } else if !summarized {
        console.result("\(id.printable): will be sent again")
      }
    }
    if summarized, !console.isJSON {
      console.result("\(successes) of \(ids.count) callbacks will be sent again")
    }
    if successes < ids.count { throw KioskError(.jobFailed) }
  }
}

/// What an examination found.
struct Finding: Sendable, Equatable {
  enum Level: String, Sendable {
    case ok
    /// It works, but not as it should.
    case warn
    case fail
  }

  let level: Level
  let subject: String
  /// What is so.
  let state: String
  /// What to do about it; nil if nothing.
  let hint: String?

  init(_ level: Level, _ subject: String, _ state: String, hint: String? = nil) {
    self.level = level
    self.subject = subject
    self.state = state
    self.hint = hint
  }

  var text: String {
    let hint = hint.map { "; " + $0 } ?? ""
    return level.rawValue.fitted(to: 6, ellipsis: "") + subject.fitted(to: 13, ellipsis: "")
      + (state + hint).printable
  }

  var jsonLine: JSONLine {
    JSONLine(
      "check",
      [
        "level": .text(level.rawValue), "subject": .text(subject), "state": .text(state),
        "hint": .text(hint),
      ])
  }
}

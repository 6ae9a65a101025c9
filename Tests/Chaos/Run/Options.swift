import TestSupport

/// How much chaos there is to be.
struct Options: Sendable {
  var jobs = 2000
  var seed = Int.random(in: 0..<1_000_000)
  /// Workers of each queue.
  var workers = 4
  /// Jobs after which everything is let come to rest and checked.
  var round = 250
  /// Where the workers' logs go when something is found; nil for nowhere.
  var logs: String?

  static let usage =
    "usage: Chaos [--jobs 2000] [--seed NUMBER] [--workers 4] [--round 250] [--logs FOLDER]"

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { throw TestSupportError("\(name) needs a value") }
      func number() throws -> Int {
        guard let number = Int(value), number >= 0 else {
          throw TestSupportError("\(name): \(value) is not a number")
        }
        return number
      }
      switch name {
      case "--jobs": jobs = max(1, try number())
      case "--seed": seed = try number()
      case "--workers": workers = max(2, try number())
      case "--round": round = max(1, try number())
      case "--logs": logs = value
      default: throw TestSupportError("\(name) is no option")
      }
    }
  }
}

/// One thing that can be set: an environment variable, and a flag of the same name.
public struct Setting: Sendable {
  /// Name of the environment variable, as in the Python service: `REDIS_HOST`.
  public let name: String
  public let kind: Kind
  /// As the variable would hold it; empty for unset.
  public let defaultText: String
  /// One sentence for `--help` and the README.
  public let help: String
  /// Printed as `***` wherever settings are shown.
  public let isSecret: Bool

  public enum Kind: Sendable {
    case text
    case integer(ClosedRange<Int>)
    /// A decimal number, for ratios and for times in seconds.
    case number(ClosedRange<Double>)
    case boolean
    case choice([String])
    /// `name:version`
    case model
  }

  init(
    _ name: String, _ kind: Kind, default defaultText: String = "", _ help: String,
    isSecret: Bool = false
  ) {
    self.name = name
    self.kind = kind
    self.defaultText = defaultText
    self.help = help
    self.isSecret = isSecret
  }

  /// The flag: `--redis-host`.
  public var flag: String {
    "--" + String(name.map { $0 == "_" ? "-" : Character($0.lowercased()) })
  }

  /// What is wrong with a value, in words that follow the setting's name; nil if it is fine.
  func problem(with text: String) -> String? {
    switch kind {
    case .text: return nil
    case .integer(let range):
      guard let value = Self.integer(text) else { return "\"\(text)\" is not a whole number" }
      return range.contains(value) ? nil : "\(text) is not \(Self.words(for: range))"
    case .number(let range):
      guard let value = Double(text), value.isFinite else { return "\"\(text)\" is not a number" }
      return range.contains(value) ? nil : "\(text) is not \(Self.words(for: range))"
    case .boolean:
      return Self.boolean(text) == nil ? "\"\(text)\" is not true or false" : nil
    case .choice(let names):
      return names.contains(text.lowercased())
        ? nil : "\"\(text)\" is unknown; use one of \(names.joined(separator: ", "))"
    case .model:
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, Int(parts[1]).map({ $0 >= 0 }) == true else {
        return "\"\(text)\" is not a model's name and version such as NuclearSegmentation:6"
      }
      return nil
    }
  }

  private static func words<Bound>(for range: ClosedRange<Bound>) -> String
  where Bound: Comparable & LosslessStringConvertible {
    "\(range.upperBound)" == "\(Int.max)"
      || "\(range.upperBound)" == "\(Double.greatestFiniteMagnitude)"
      ? "\(range.lowerBound) or more" : "between \(range.lowerBound) and \(range.upperBound)"
  }

  /// Also `1e+06` and `1.048576e+06`: charts write large YAML numbers that way.
  static func integer(_ text: String) -> Int? {
    Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
  }

  static func boolean(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "1", "true", "yes", "on": true
    case "0", "false", "no", "off": false
    default: nil
    }
  }
}

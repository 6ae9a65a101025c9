import FoundationEssentials

/// One line of `--json`: an object with an `event` and the keys that belong to it.
struct JSONLine: Encodable {
  /// A value of any of the kinds that occur.
  enum Value: Encodable, ExpressibleByStringLiteral {
    case text(String)
    case integer(Int)
    case number(Double)
    case flag(Bool)
    case object([String: Value])
    case list([Value])

    init(stringLiteral value: String) { self = .text(value) }

    /// For people, on one line.
    var plainText: String {
      switch self {
      case .text(let value): value
      case .integer(let value): "\(value)"
      case .number(let value): Int(exactly: value).map { "\($0)" } ?? "\(value)"
      case .flag(let value): value ? "yes" : "no"
      case .object(let values):
        values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.plainText)" }
          .joined(separator: " ")
      case .list(let values): values.map(\.plainText).joined(separator: ",")
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let value): try container.encode(value)
      case .integer(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .flag(let value): try container.encode(value)
      case .object(let value): try container.encode(value)
      case .list(let value): try container.encode(value)
      }
    }
  }

  private let values: [String: Value]

  /// Keys without a value are left out.
  init(_ event: String, _ values: [String: Value?]) {
    self.values = values.compactMapValues { $0 }.merging(["event": .text(event)]) { own, _ in own }
  }

  func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }

  var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings and finite numbers always encode.
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}

extension Optional where Wrapped == JSONLine.Value {
  static func text(_ value: String?) -> Self { value.map { .some(.text($0)) } ?? .none }
  static func integer(_ value: Int?) -> Self { value.map { .some(.integer($0)) } ?? .none }
  static func number(_ value: Double?) -> Self { value.map { .some(.number($0)) } ?? .none }
  static func flag(_ value: Bool?) -> Self { value.map { .some(.flag($0)) } ?? .none }
}

import Arrays
import Foundation
import Testing

/// A recorded input and output of the reference libraries.
struct GoldenCase: Sendable, CustomTestStringConvertible {
  let function: String
  let name: String
  let folder: URL
  /// The dtype the reference computed in, by file.
  let types: [String: String]
  let parameters: JSON
  /// Inputs and outputs that are not arrays.
  let values: JSON

  var testDescription: String { "\(function)/\(name)" }

  func array(_ file: String) throws -> GoldenArray {
    try GoldenArray(file: folder.appending(path: file))
  }
}

/// The golden cases: `Tests/Fixtures/algorithms`, or the folder named by `GOLDEN_ALGORITHMS`.
enum Golden {
  static let folder: URL =
    ProcessInfo.processInfo.environment["GOLDEN_ALGORITHMS"].map { URL(filePath: $0) }
    ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/algorithms")

  static let all: [GoldenCase] = {
    do {
      return try load()
    } catch {
      fatalError("cannot read the golden cases in \(folder.path): \(error)")
    }
  }()

  static func cases(_ function: String) -> [GoldenCase] { all.filter { $0.function == function } }

  private static func json(_ file: URL) throws -> JSON {
    try JSONDecoder().decode(JSON.self, from: Data(contentsOf: file))
  }

  private static func load() throws -> [GoldenCase] {
    try json(folder.appending(path: "index.json"))["cases"].list.map { entry in
      let path = folder.appending(path: entry["path"].text)
      let details = try json(path.appending(path: "params.json"))
      let files = (entry["inputs"].list + entry["outputs"].list).filter { $0["file"] != .null }
      return GoldenCase(
        function: entry["function"].text, name: entry["case"].text, folder: path,
        types: Dictionary(
          files.map { ($0["file"].text, $0["python_dtype"].text) }, uniquingKeysWith: { a, _ in a }),
        parameters: entry["params"],
        values: .object(
          details["inputs_json"].members.merging(details["outputs_json"].members) { a, _ in a }))
    }
  }
}

/// A JSON value; what is missing is `.null`.
enum JSON: Decodable, Sendable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case text(String)
  case list([JSON])
  case object([String: JSON])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([JSON].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: JSON].self))
    }
  }

  var members: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
  var list: [JSON] { if case .list(let list) = self { list } else { [] } }
  var text: String { if case .text(let text) = self { text } else { "" } }
  var number: Double? { if case .number(let number) = self { number } else { nil } }
  var integer: Int? { number.map { Int($0) } }
  var integers: [Int] { list.compactMap(\.integer) }
  subscript(key: String) -> JSON { members[key] ?? .null }
}

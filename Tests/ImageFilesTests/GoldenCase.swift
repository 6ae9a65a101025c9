import Arrays
import Foundation
import ImageFiles
import Testing

/// A recorded call of the Python service.
struct GoldenCase: Decodable, Sendable, CustomTestStringConvertible {
  struct Parameters: Decodable, Sendable {
    var file: String?
    var name: String?
  }
  struct Failure: Decodable, Sendable { let type: String }
  struct OutputFile: Decodable, Sendable {
    let file: String?
  }

  let function: String
  let `case`: String
  let path: String
  let params: Parameters
  let raises: Failure?
  let outputs: [OutputFile]

  var testDescription: String { "\(function)/\(`case`)" }

  /// The folder of the cases: that of the repository, or one with more of them.
  static let root =
    ProcessInfo.processInfo.environment["GOLDEN_ALGORITHMS"].map { URL(filePath: $0) }
    ?? Fixtures.images.appending(path: "golden")

  static func all(_ function: String) -> [GoldenCase] {
    struct Index: Decodable { let cases: [GoldenCase] }
    guard let data = try? Data(contentsOf: root.appending(path: "index.json")),
      let index = try? JSONDecoder().decode(Index.self, from: data)
    else { return [] }
    return index.cases.filter { $0.function == function }
  }

  func path(of file: String) -> String {
    Self.root.appending(path: path).appending(path: file).path
  }

  /// An array of the case, in whatever type it was recorded.
  func array(_ file: String) throws -> AnyNDArray {
    try ImageFile.decode(contentsOf: path(of: file), name: file).pixels
  }
}

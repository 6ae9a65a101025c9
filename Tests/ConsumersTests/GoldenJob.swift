import Foundation
import Testing

/// A job of the Python service as it was recorded.
struct GoldenJob: Decodable, Sendable, CustomTestStringConvertible {
  struct Member: Decodable, Sendable {
    let name: String
    /// Of arrays.
    var dtype: String?
    var shape: [Int]?
    /// Of tables, the first lines.
    var head: [String]?
  }

  let consumer: String
  let name: String
  let input: String
  let before: [String: String]
  let after: [String: String]
  let statuses: [String]
  let members: [Member]

  enum CodingKeys: String, CodingKey {
    case name = "case"
    case consumer, input, before, after
    case statuses = "statuses_in_order"
    case members = "output_members"
  }

  var testDescription: String { "\(consumer)/\(name)" }

  var archive: String { "\(Fixtures.jobs)/\(consumer)/\(name)/output.zip" }

  /// Whether a file is a drawing, whose size is ours to choose.
  func isPicture(_ member: Member) -> Bool {
    consumer == "spot" && member.name.hasSuffix(".tif")
  }

  /// Those that ended well, and took no other jobs.
  static let all = load([
    "segmentation": [
      "nuclear_512", "nuclear_256_one_tile", "nuc_cyto_512", "cyto_only_512", "scale_0.8",
      "batch3_XYB", "png_grey",
    ],
    "mesmer": ["whole_cell_256", "whole_cell_512", "both_256"],
    "spot": ["spots_256"],
  ])

  /// Those of movies, whose frames are jobs too.
  static let tracking = load(["caliban": ["movie_tif", "movie_trk"]])

  /// Those of spots, which are found by other jobs.
  static let polaris = load(["polaris": ["spots_only", "tissue"]])

  private static func load(_ cases: KeyValuePairs<String, [String]>) -> [GoldenJob] {
    cases.flatMap { consumer, names in
      names.map { name in
        let file = URL(filePath: "\(Fixtures.jobs)/\(consumer)/\(name)/case.json")
        do {
          return try JSONDecoder().decode(GoldenJob.self, from: Data(contentsOf: file))
        } catch {
          fatalError("the fixture \(file.path) cannot be read: \(error)")
        }
      }
    }
  }
}

import Arrays
import Consumers
import Foundation
import ImageFiles
import RedisClient
import TestSupport
import Testing

/// Input that looks bad and is not: it ends `done`, with results of the image's size.
@Suite struct OddInputTests {
  struct OddInput: Sendable, CustomTestStringConvertible {
    let name: String
    let shape: Shape
    var fields: [String: String] = [:]
    var missing: [String] = []
    var bytes: [String: [UInt8]] = [:]
    var key = Array("predict:odd.npy:1".utf8)
    /// The image; without it all pixels are equal.
    var image: (@Sendable (Shape) -> NDArray<Float>)?
    /// The names of the results and the shape of each.
    let results: [String: Shape]
    /// The result's `dim_order`, where it was inferred.
    var inferred: String?

    var testDescription: String { name }

    static let name = "odd_batch_0_feature_0.tif"
  }

  static let all: [OddInput] =
    [
      ("one pixel", [1, 1], [1, 1], "XY"), ("one row", [1, 100], [1, 100], "XY"),
      ("one column", [100, 1], [100, 1], "XY"),
      ("all pixels equal, larger than the model", [40, 70], [40, 70], "XY"),
      ("short and long", [3, 200], [3, 200], "XY"),
      ("rows, columns and channels, fewer rows than channels", [2, 30, 4], [30, 4], "CXY"),
      ("as many rows as channels", [4, 30, 4], [4, 30], "XYC"),
      ("channels first", [3, 30, 40], [30, 40], "CXY"),
      ("batch and channels", [2, 30, 40, 3], [30, 40], "BXYC"),
    ].map { (name: String, shape: Shape, result: Shape, order: String) in
      let count = order.contains("B") ? shape[0] : 1
      return OddInput(
        name: "\(name): \(shape.tupleDescription)", shape: shape,
        results: Dictionary(
          uniqueKeysWithValues: (0..<count).map { ("odd_batch_\($0)_feature_0.tif", result) }),
        inferred: order)
    } + [
      OddInput(
        name: "a stack of 3 frames", shape: [3, 20, 30], fields: ["dimension_order": "BXY"],
        results: [
          "odd_batch_0_feature_0.tif": [20, 30], "odd_batch_1_feature_0.tif": [20, 30],
          "odd_batch_2_feature_0.tif": [20, 30],
        ]),
      OddInput(
        name: "fewer rows than channels, said so", shape: [2, 30, 4],
        fields: ["dimension_order": "XYC"], results: [OddInput.name: [2, 30]]),
      OddInput(
        name: "order in lower case", shape: [20, 30], fields: ["dimension_order": "xy"],
        results: [OddInput.name: [20, 30]]),
      OddInput(
        name: "channels that select nothing", shape: [20, 30], fields: ["channels": ",,,,"],
        results: [OddInput.name: [20, 30]], inferred: "XY"),
      OddInput(
        name: "channels with blanks", shape: [20, 30], fields: ["channels": " 0 , "],
        results: [OddInput.name: [20, 30]], inferred: "XY"),
      OddInput(
        name: "two models on two channels", shape: [20, 30, 2],
        fields: ["channels": "1,0", "dimension_order": "XYC"],
        results: [OddInput.name: [20, 30], "odd_batch_0_feature_1.tif": [20, 30]]),
      OddInput(
        name: "a scale that makes it larger and back", shape: [21, 33], fields: ["scale": "1.7"],
        results: [OddInput.name: [21, 33]], inferred: "XY"),
      OddInput(
        name: "a scale that makes it smaller and back", shape: [21, 33], fields: ["scale": "0.1"],
        results: [OddInput.name: [21, 33]], inferred: "XY"),
      OddInput(
        name: "no field but the input's", shape: [20, 30],
        missing: [
          "original_name", "dimension_order", "channels", "scale", "label", "created_at",
          "updated_at", "model_name", "model_version", "identity_upload",
        ],
        results: ["uploads/odd_batch_0_feature_0.tif": [20, 30]], inferred: "XY"),
      OddInput(
        name: "no status", shape: [20, 30], missing: ["status"],
        results: [OddInput.name: [20, 30]], inferred: "XY"),
      OddInput(
        name: "a name and fields that are not UTF-8", shape: [20, 30],
        bytes: ["original_name": [0x62, 0xE9, 0x2E, 0x74], "label\u{0}": [0xFF]],
        results: ["b\u{FFFD}_batch_0_feature_0.tif": [20, 30]], inferred: "XY"),
      OddInput(
        name: "a key of odd characters", shape: [20, 30],
        key: Array("predict:a b:/\n\u{0}é\u{1F9A0}*?[x]:1".utf8),
        results: [OddInput.name: [20, 30]], inferred: "XY"),
    ] + names

  private static let names: [OddInput] = [
    (".tif", ".tif_batch_0_feature_0.tif"), ("a.tif.", "a.tif_batch_0_feature_0.tif"),
    ("a/", "a/_batch_0_feature_0.tif"), ("/etc/a.tif", "etc/a_batch_0_feature_0.tif"),
    ("\u{1F9A0} cells é.ome.tif", "\u{1F9A0} cells é.ome_batch_0_feature_0.tif"),
    ("a,b;c&d$(e)`f`'g\"h.tif", "a,b;c&d$(e)`f`'g\"h_batch_0_feature_0.tif"),

    ("..a.tif", "..a_batch_0_feature_0.tif"),
  ].map { (name: String, result: String) in
    OddInput(
      name: "original_name \(name)", shape: [20, 30], fields: ["original_name": name],
      results: [result: [20, 30]], inferred: "XY")
  }

  @Test(.redisServer, arguments: all)
  func `odd input that can be worked on gives results of its size`(odd: OddInput) async throws {
    let bench = try await BadInputBench()
    let image = odd.image?(odd.shape) ?? NDArray(shape: odd.shape, repeating: 7)
    try bench.put(NPYEncoder.encode(image), at: "uploads/odd.npy")
    var job = JobFields(
      ["input_file_name": "uploads/odd.npy", "original_name": "odd.npy"].merging(odd.fields) { $1 })
    for name in odd.missing { job = job.without(name) }
    for (name, bytes) in odd.bytes { job = job.with(name, bytes) }
    let key = String(decoding: odd.key, as: UTF8.self)
    try await bench.besideGoodJob(leaving: [key], results: 2) {
      try await job.submit(odd.key, to: ConsumerHarness.queue, bench.harness.redis)
      let fields = try await bench.fields(key)
      #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
      #expect(fields["dim_order"] == odd.inferred)
      let results = try bench.results(of: fields)
      #expect(results.mapValues { $0.squeezedTo(rank: 2).shape } == odd.results)
      // Nothing stands out of an image without contrast.
      for result in results.values { #expect(result.elements.allSatisfy { $0 == 0 }) }
    }
  }
}

extension NDArray {
  /// Without leading axes of length 1.
  fileprivate func squeezedTo(rank: Int) -> NDArray {
    var array = self
    while array.rank > rank, array.shape[0] == 1 { array = array.slice(0) }
    return array
  }
}

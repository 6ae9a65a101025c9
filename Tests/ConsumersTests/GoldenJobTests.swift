import Arrays
import Consumers
import Foundation
import ImageFiles
import JobQueue
import ModelServing
import RedisClient
import Serving
import TestSupport
import Testing

/// Whole jobs of the Python service, done again: the same fields, archives of the same form, and
/// over recorded answers of the model the same pixels.
@Suite struct GoldenJobTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    struct Member: Decodable, Sendable {
      let name: String
      let dtype: String
      let shape: [Int]
    }

    let name: String
    let input: String
    let before: [String: String]
    let after: [String: String]
    let statuses: [String]
    let members: [Member]

    enum CodingKeys: String, CodingKey {
      case name = "case"
      case input, before, after
      case statuses = "statuses_in_order"
      case members = "output_members"
    }

    var testDescription: String { name }

    var archive: String { Fixtures.jobs + "/segmentation/\(name)/output.zip" }
  }

  static let cases: [Case] = [
    "nuclear_512", "nuclear_256_one_tile", "nuc_cyto_512", "cyto_only_512", "scale_0.8",
    "batch3_XYB", "png_grey",
  ].map { name in
    let file = URL(filePath: Fixtures.jobs + "/segmentation/\(name)/case.json")
    do {
      return try JSONDecoder().decode(Case.self, from: Data(contentsOf: file))
    } catch {
      fatalError("the fixture \(file.path) cannot be read: \(error)")
    }
  }

  @Test(.redisServer, arguments: cases)
  func `a job gives the fields and the archive that it gave`(golden: Case) async throws {
    let models = try ThresholdModels()
    let (before, after, members) = try await run(golden, models: models.client)

    for (field, value) in golden.after where !Self.fieldsThatDiffer.contains(field) {
      #expect(after[field] == value, "\(field)")
    }
    for field in Self.fieldsThatDiffer where golden.after[field] != nil {
      #expect(after[field]?.isEmpty == false, "\(field)")
    }
    for field in ["download_time", "upload_time", "total_time", "prediction_time"] {
      #expect(after[field].flatMap(Double.init) != nil, "\(field)")
    }
    #expect(after["postprocess_time"].flatMap(Double.init) != nil)
    #expect(after["predict_retries"] == "0")
    #expect(after["progress"] == "100")
    #expect(before["status"] == "new")

    #expect(members.keys.sorted() == golden.members.map(\.name).sorted())
    for member in golden.members {
      let image = try #require(members[member.name])
      #expect(image.pixels.dtype.rawValue == member.dtype)
      #expect(image.pixels.shape == member.shape)
      #expect(image.pixels.asFloat.elements.contains { $0 > 0 }, "\(member.name) has labels")
    }
  }

  @Test(.redisServer) func `over recorded answers the pixels are equal`() async throws {
    let golden = try #require(Self.cases.first { $0.name == "nuclear_256_one_tile" })
    let host = try ModelServerHost(address: "127.0.0.1", port: 0) { call in
      let name =
        switch call.request {
        case .predict: "Predict_NuclearSegmentation"
        case .metadata: "GetModelMetadata_NuclearSegmentation"
        default: "none"
        }
      guard let reply = try? Data(contentsOf: URL(filePath: Fixtures.wire + "/\(name).reply.pb"))
      else { return .failure(.unimplemented, name) }
      return .bytes([UInt8](reply))
    }
    let (_, after, ours) = try await run(golden, models: ThresholdModels.client(of: host))
    #expect(after["status"] == "done")

    let theirs = try unpack(golden.archive)
    #expect(ours.keys.sorted() == theirs.keys.sorted())
    for (name, image) in theirs {
      let labels = try #require(ours[name]).pixels.asFloat.elements
      #expect(labels == image.pixels.asFloat.elements, "\(name)")
      #expect(Set(labels).count > 10, "the recorded answers hold cells")
    }
  }

  @Test(.redisServer) func `each status is written once, in order, by one command`() async throws {
    let golden = try #require(Self.cases.first { $0.name == "nuclear_256_one_tile" })
    let models = try ThresholdModels()
    let redis = try #require(RedisServer.connection)
    // The first job makes Redis know the scripts.
    _ = try await run(golden, models: models.client)
    try await redis.command("CONFIG", "SET", "slowlog-log-slower-than", 0)
    try await redis.command("CONFIG", "SET", "slowlog-max-len", 1000)
    _ = try await run(golden, models: models.client)

    // What Redis executed, newest first: the slow log keeps each command with its arguments.
    let entries = try #require(try await redis.command("SLOWLOG", "GET", 1000).array)
    let scripts = try entries.reversed().map { entry -> [String] in
      try #require(entry.array?[3]).decode()
    }.filter { $0[0] == "EVALSHA" }
    let ofTheJob = scripts.filter { $0.contains { $0.hasPrefix("predict:nuclear_256") } }
    let updates = ofTheJob.filter { !$0.contains("new") && !$0.contains("output_url") }
    let statuses = updates.compactMap { words in
      words.firstIndex(of: "status").map { words[$0 + 1] }
    }
    #expect(statuses == ["pre-processing", "predicting", "post-processing", "saving-results"])
    // On a slow machine a tick may have written progress in between.
    #expect(updates.count(where: { $0.contains("status") }) == 4)
  }

  private static let fieldsThatDiffer: Set<String> = [
    "created_at", "updated_at", "updated_by", "identity_started", "identity_upload",
    "download_time", "upload_time", "total_time", "finished_at", "output_file_name", "output_url",
  ]

  /// Does a job of the Python service with our consumer.
  private func run(
    _ golden: Case, models: any PredictBackend
  ) async throws -> (
    before: [String: String], after: [String: String], members: [String: DecodedImage]
  ) {
    let harness = try ConsumerHarness(models: models)
    let input = try Data(contentsOf: URL(filePath: Fixtures.jobs + "/inputs/\(golden.input)"))
    let key = try await harness.submit(
      input, name: golden.input,
      fields: golden.before.filter { !$0.key.hasSuffix("_at") && $0.key != "status" })
    let before = try await harness.fields(key)
    var after: [String: String] = [:]
    let type = try #require(consumers["segmentation"])
    try await harness.withService(type) { _ in after = try await harness.end(of: key) }
    #expect(after["status"] == "done", "\(after["reason"] ?? "")")
    #expect(try harness.leftovers.isEmpty)
    let output = try #require(after["output_file_name"])
    return (before, after, try unpack(harness.store.file(output)))
  }

  private func unpack(_ archive: String) throws -> [String: DecodedImage] {
    let reader = try ZipReader(path: archive, name: "output.zip")
    var images: [String: DecodedImage] = [:]
    for member in reader.members {
      let bytes = try reader.bytes(of: member, limit: member.size)
      images[member.name] = try ImageFile.decode(bytes, name: member.name)
    }
    return images
  }
}

/// Where the tests' files are.
enum Fixtures {
  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures").path

  static let jobs = folder + "/jobs"
  static let wire = folder + "/wire"
}

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
  @Test(.redisServer, arguments: GoldenJob.all)
  func `a job gives the fields and the archive that it gave`(golden: GoldenJob) async throws {
    let models = try BrightModels(side: 256).serve()
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
    for member in golden.members where !golden.isPicture(member) {
      let image = try #require(members[member.name])
      #expect(image.pixels.dtype.rawValue == member.dtype)
      // How many spots there are is up to the model.
      #expect(image.pixels.shape.drops(member.name) == member.shape?.drops(member.name))
      #expect(image.pixels.asFloat.elements.contains { $0 > 0 }, "\(member.name) has labels")
    }
  }

  @Test(
    .redisServer,
    arguments: [
      ("segmentation", "nuclear_256_one_tile", "NuclearSegmentation"),
      ("mesmer", "whole_cell_256", "MultiplexSegmentation"),
      // The same image, and so the same answers.
      ("mesmer", "both_256", "MultiplexSegmentation"),
    ])
  func `over recorded answers the pixels are equal`(
    consumer: String, name: String, model: String
  ) async throws {
    let golden = try #require(GoldenJob.all.first { $0.consumer == consumer && $0.name == name })
    let metadata = try Fixtures.message("GetModelMetadata_\(model).reply.pb")
    let prediction = try Fixtures.message("Predict_\(model).reply.pb")
    let host = try ModelServerHost(address: "127.0.0.1", port: 0) { call in
      switch call.request {
      case .predict: .bytes(prediction)
      case .metadata: .bytes(metadata)
      default: .failure(.unimplemented, "none")
      }
    }
    let (_, after, ours) = try await run(golden, models: BrightModels.client(of: host))
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
    let golden = try #require(GoldenJob.all.first { $0.name == "nuclear_256_one_tile" })
    let models = try BrightModels(side: 256).serve()
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

  static let fieldsThatDiffer: Set<String> = [
    "created_at", "updated_at", "updated_by", "identity_started", "identity_upload",
    "download_time", "upload_time", "total_time", "finished_at", "output_file_name", "output_url",
  ]

  /// Does a job of the Python service with our consumer.
  private func run(
    _ golden: GoldenJob, models: any PredictBackend
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
    let type = try #require(consumers[golden.consumer])
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

extension Shape {
  /// Without the number of spots, where it has one.
  fileprivate func drops(_ name: String) -> Shape {
    name.hasSuffix(".npy") ? Array(dropFirst()) : self
  }
}

/// Where the tests' files are.
enum Fixtures {
  /// A recorded message of ``wire``; large ones are in an archive.
  static func message(_ name: String) throws -> [UInt8] {
    if let bytes = try? Data(contentsOf: URL(filePath: "\(wire)/\(name)")) { return Array(bytes) }
    let archive = try ZipReader(path: "\(wire)/mesmer.zip", name: "mesmer.zip")
    let member = try #require(archive.members.first { $0.name == name })
    return try archive.bytes(of: member, limit: member.size)
  }

  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures").path

  static let jobs = folder + "/jobs"
  static let wire = folder + "/wire"
}

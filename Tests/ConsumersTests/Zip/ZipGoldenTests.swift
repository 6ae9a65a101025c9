import Consumers
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import TestSupport
import Testing

/// Archives that the Python service was recorded with, done again.
@Suite struct ZipGoldenTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    struct Child: Decodable, Sendable {
      let fields: [String: String]
      let statuses: [String]

      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        statuses = try container.decode([String].self, forKey: Name("_statuses"))
        var fields: [String: String] = [:]
        for key in container.allKeys where !key.stringValue.hasPrefix("_") {
          fields[key.stringValue] = try container.decode(String.self, forKey: key)
        }
        self.fields = fields
      }

      private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
      }
    }

    let name: String
    let input: String
    let before: [String: String]
    let after: [String: String]
    let children: [String: Child]
    let members: [GoldenJob.Member]

    enum CodingKeys: String, CodingKey {
      case name = "case"
      case input, before, after, children
      case members = "output_members"
    }

    var testDescription: String { name }

    func child(named name: String) -> Child? {
      children.values.first { $0.fields["original_name"] == name }
    }
  }

  static let cases: [Case] = ["good3", "one_corrupt_member"].map { name in
    let file = URL(filePath: Fixtures.jobs + "/zip/\(name)/case.json")
    do {
      return try JSONDecoder().decode(Case.self, from: Data(contentsOf: file))
    } catch {
      fatalError("the fixture \(file.path) cannot be read: \(error)")
    }
  }

  /// Of what differs only the form is compared.
  private static let fieldsThatDiffer: Set<String> = [
    "created_at", "updated_at", "updated_by", "identity_started", "identity_upload",
    "download_time", "upload_time", "total_time", "finished_at", "output_file_name", "output_url",
    "children", "children:done", "children:failed", "children_upload_time", "cleanup_time",
    "failures", "input_file_name", "reason",
  ]

  @Test(.redisServer, arguments: cases)
  func `an archive gives the fields and the results that it gave`(golden: Case) async throws {
    let models = try BrightModels(side: 256).serve()
    let bench = try ZipBench(models: models.client)
    let input = try Data(contentsOf: URL(filePath: Fixtures.jobs + "/inputs/\(golden.input)"))
    let key = try await bench.harness.submit(
      input, name: golden.input,
      fields: golden.before.filter { !$0.key.hasSuffix("_at") && $0.key != "status" })
    try await bench.withServices(images: consumers["segmentation"]) {
      let after = try await bench.harness.end(of: key)
      Self.compare(after, golden.after)
      let lists = ["children", "children:done", "children:failed", "failures"]
      for list in lists {
        let separator: Character = list == "failures" ? "&" : ","
        #expect(
          after[list]?.split(separator: separator).count
            == golden.after[list]?.split(separator: separator).count, "\(list)")
      }
      for times in ["download_time", "upload_time", "total_time"] {
        let values = (after[times] ?? "").split(separator: ",")
        #expect(values.count == golden.after[times]?.split(separator: ",").count)
        #expect(values.allSatisfy { Double($0) != nil })
      }

      for child in try await bench.keys("children", of: key) {
        let fields = try await bench.harness.fields(child)
        let name = try #require(fields["original_name"])
        let theirs = try #require(golden.child(named: name), "\(name)")
        #expect(child.wholeMatch(of: /predict:.*:[0-9a-f]{32}/) != nil)
        Self.compare(fields, theirs.fields)
        #expect(
          fields["input_file_name"]?.replacing(/[0-9a-f]{32}/, with: "")
            == theirs.fields["input_file_name"]?.replacing(/[0-9a-f]{32}/, with: ""))
        // Ours have one more.
        #expect(
          try await bench.statuses(of: child, in: ConsumerHarness.queue)
            .filter { $0 != "post-processing" } == theirs.statuses)
        #expect((3500...3600).contains(try await bench.redis.command("TTL", child).decode()))
      }
      let failures = try ZipBench.decodeForm(after["failures"])
      for (child, reason) in failures {
        #expect(try await bench.harness.fields(child)["reason"] == reason)
        #expect(reason.contains("bad.tif"), "\(reason)")
      }

      try compareResults(try bench.result(of: after), golden)
    }
    withExtendedLifetime(models) {}
  }

  private static func compare(_ ours: [String: String], _ theirs: [String: String]) {
    for (field, value) in theirs {
      if fieldsThatDiffer.contains(field) {
        #expect(ours[field]?.isEmpty == value.isEmpty, "\(field)")
      } else {
        #expect(ours[field] == value, "\(field)")
      }
    }
  }

  private func compareResults(
    _ ours: [(name: String, bytes: [UInt8])], _ golden: Case
  ) throws {
    // Theirs come in the order in which children ended.
    #expect(ours.map(\.name).sorted() == golden.members.map(\.name).sorted())
    let archive = try ZipReader(
      path: Fixtures.jobs + "/inputs/\(golden.input)", name: golden.input)
    let order = archive.members.map { String($0.name.dropLast(4)) + "_batch_0_feature_0.tif" }
    #expect(ours.map(\.name) == order.filter { name in ours.contains { $0.name == name } })
    for (name, bytes) in ours {
      let member = try #require(golden.members.first { $0.name == name })
      let image = try ImageFile.decode(bytes, name: name).pixels
      #expect(image.dtype.rawValue == member.dtype && image.shape == member.shape)
      #expect(image.asFloat.elements.contains { $0 > 0 }, "\(name) has labels")
    }
  }
}

extension ZipBench {
  /// The statuses that a job's events tell of.
  func statuses(of key: String, in queue: String) async throws -> [String] {
    let entries = try #require(
      try await redis.command("XRANGE", Keys.events(of: queue), "-", "+").array)
    return try entries.compactMap { entry in
      let fields: [String: String] = try #require(entry.array?[1]).decode()
      guard fields["job"] == key, let event = fields["event"], event != "progress" else {
        return nil
      }
      return event == "submitted" ? "new" : event
    }
  }
}

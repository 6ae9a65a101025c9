import Arrays
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import TestSupport
import Testing

@testable import Consumers

/// Whole jobs of movies.
@Suite struct TrackingJobTests {
  @Test(.redisServer, arguments: ["tracking", "caliban"])
  func `frames of a stack are segmented, then tracked`(type: String) async throws {
    let bench = try TrackingBench()
    let key = try await bench.harness.submit(DiscMovie.tiff(), name: "plate/movie.one.tif")
    try await bench.withServices(type: type, frames: nil) {
      let children = try await bench.children(of: key)
      #expect(children.count == DiscMovie.frameCount)
      let objects = bench.objects()
      for (index, child) in children.enumerated() {
        let fields = try await bench.harness.fields(child)
        let name = try #require(fields["original_name"])
        #expect(
          name.wholeMatch(of: #/[0-9a-f]{32}-movie\.one\.tif-tracking-frame-[0-9]\.tif/#) != nil)
        #expect(name.hasSuffix("-\(index).tif"))
        let input = try #require(fields["input_file_name"])
        #expect(objects.contains { "output/" + $0 == input })
        #expect(fields["url"]?.hasSuffix(name) == true)
        #expect(fields["channels"] == "0,," && fields["dimension_order"] == "XY")
      }
      // All of one folder, which no other job has.
      #expect(Set(objects.map { $0.split(separator: "/").first ?? "" }).count == 1)
      #expect(try await bench.harness.fields(key)["progress"] == "0")

      try await bench.harness.withService(FrameConsumer.self, on: TrackingBench.frameQueue) { _ in
        let fields = try await bench.harness.end(of: key)
        #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
        #expect(fields["total_jobs"] == "1" && fields["progress"] == "100")
        for field in [
          "download_time", "prediction_time", "postprocess_time", "upload_time", "total_time",
          "children_upload_time",
        ] { #expect(fields[field].flatMap(Double.init) != nil, "\(field)") }
        let expected = try await DiscMovie.tracked(DiscMovie.labels())
        #expect(
          try bench.files(of: fields).map(\.name)
            == ["plate/movie.one_feature_0.tif", "lineage.json"])
        let labels = try bench.labels("plate/movie.one_feature_0.tif", of: fields)
        #expect(labels.shape == [DiscMovie.frameCount, DiscMovie.rows, DiscMovie.columns])
        #expect(labels.elements == expected.labels.elements)
        let lineage = try bench.file("lineage.json", of: fields)
        #expect(String(decoding: lineage, as: UTF8.self) == expected.lineage.json)
        #expect(expected.lineage.tracks.map(\.frames.count) == [5, 4, 3, 2, 2])
        #expect(expected.lineage.tracks.contains { $0.daughters.count == 2 })

        // Following the cells is a part of the progress, and it does not go back.
        let progress = try await bench.progress(of: key)
        #expect(progress.waiting == [14, 28, 42, 56, 70])
        #expect(progress.working == progress.working.sorted() && !progress.working.isEmpty)
        #expect(progress.working.allSatisfy { (71...99).contains($0) }, "\(progress)")

        // Neither frames nor their results are left, and their jobs go.
        let output = try #require(fields["output_file_name"])
        #expect(bench.objects().map { "output/" + $0 } == [output])
        for child in children {
          let left = try await bench.harness.redis.command("TTL", child).integer ?? -1
          #expect((1...3600).contains(left))
        }
      }
    }
  }

  @Test(.redisServer) func `the consumer of images segments the frames`() async throws {
    let bench = try TrackingBench()
    let fields = try await bench.run(
      DiscMovie.tiff(), frames: consumers["image"])
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    let labels = try bench.labels("movie_feature_0.tif", of: fields)
    let frames = DiscMovie.frames()
    // The same nuclei, if not to the pixel.
    for frame in 0..<DiscMovie.frameCount {
      let pairs = zip(frames.slice(frame).elements, labels.slice(frame).elements)
      let agreeing = pairs.count { ($0 > 500) == ($1 > 0) }
      #expect(Double(agreeing) > 0.9 * Double(DiscMovie.rows * DiscMovie.columns))
    }
    let lineage = try bench.file("lineage.json", of: fields)
    let tracks = try JSONDecoder().decode([String: Track].self, from: Data(lineage))
    #expect(tracks.count >= 4)
    #expect(tracks.values.contains { $0.parent != nil && $0.frames.first == 3 })
    #expect(bench.objects().count == 1)
  }

  private struct Track: Decodable {
    let label: Int
    let frames: [Int]
    let parent: Int?
    let daughters: [Int]
  }

  @Test(.redisServer, arguments: ["movie.trk", "movie.TRKS", "movie.trks"])
  func `a track file is tracked as it is`(name: String) async throws {
    let bench = try TrackingBench()
    let (raw, labels) = (DiscMovie.frames().expandingDimensions(at: 3), try DiscMovie.labels())
    // With several movies there is one more axis.
    let isOneOfMany = name == "movie.trks"
    let input = try DiscMovie.trackFile(
      raw: AnyNDArray(isOneOfMany ? raw.expandingDimensions(at: 0) : raw),
      tracked: AnyNDArray(
        isOneOfMany
          ? labels.expandingDimensions(at: 0).map { UInt16($0) } : labels.map { UInt16($0) }))
    let fields = try await bench.run(input, name: name, frames: nil)
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    let expected = try await DiscMovie.tracked(labels)
    let found = try bench.labels("movie_feature_0.tif", of: fields)
    #expect(found.elements == expected.labels.elements)
    #expect(bench.models.predictions(of: PositionModels.encoder) == 1)
    #expect(bench.models.predictions(of: PositionModels.tracker) == DiscMovie.frameCount - 1)
  }

  @Test(.redisServer) func `frames without cells and without background are tracked`() async throws
  {
    let bench = try TrackingBench()
    let frames = DiscMovie.frames(empty: [0, 2])
    let fields = try await bench.run(DiscMovie.tiff(frames))
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    let expected = try await DiscMovie.tracked(DiscMovie.labels(frames), raw: frames)
    let found = try bench.labels("movie_feature_0.tif", of: fields)
    #expect(found.elements == expected.labels.elements)
    #expect(Set(found.slice(2).elements) == [0])

    let full = NDArray<Int32>(
      shape: [2, 8, 8, 1], elements: (0..<128).map { Int32($0 % 8 < 4 ? 1 : 2) })
    let track = try DiscMovie.trackFile(raw: AnyNDArray(full.asFloat), tracked: AnyNDArray(full))
    let second = try await bench.run(track, name: "full.trk")
    #expect(second["status"] == "done", "\(second["reason"] ?? "")")
    #expect(try bench.labels("full_feature_0.tif", of: second).elements == full.elements)
  }

  @Test(.redisServer) func `a movie without any cell has an empty lineage`() async throws {
    let bench = try TrackingBench()
    let fields = try await bench.run(DiscMovie.tiff(NDArray(shape: [2, 40, 30])))
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    #expect(try bench.file("lineage.json", of: fields) == Array("{}".utf8))
    #expect(bench.models.predictions(of: PositionModels.encoder) == 0)
  }

  @Test(.redisServer) func `the archive holds a track file when the settings want one`()
    async throws
  {
    let bench = try TrackingBench { $0.writesTrackFile = true }
    let fields = try await bench.run(DiscMovie.tiff(), name: "a/movie.tif")
    let names = try bench.files(of: fields).map(\.name)
    #expect(names == ["a/movie_feature_0.tif", "lineage.json", "a/movie.trk"])
    let file = try TemporaryFolder().file("movie.trk")
    try FileManager.default.createDirectory(
      at: URL(filePath: file).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bench.file("a/movie.trk", of: fields)).write(to: URL(filePath: file))
    let track = try TrackFile.read(contentsOf: file, name: "movie.trk")
    #expect(
      track.raw.typed(as: Float.self) == DiscMovie.frames().expandingDimensions(at: 3))
    let labels = try bench.labels("a/movie_feature_0.tif", of: fields)
    #expect(track.tracked.converted(to: Int32.self).elements == labels.elements)
  }

  @Test(.redisServer) func `a job whose parts are gone ends by what is known of its result`()
    async throws
  {
    let bench = try TrackingBench()
    let key = try await bench.harness.submit(DiscMovie.tiff(), name: "movie.tif")
    var done: [String: String] = [:]
    try await bench.withServices { done = try await bench.harness.end(of: key) }
    // As if the worker had died before it could write the end.
    let redis = bench.harness.redis
    try await redis.command("DEL", "kiosk:job:" + key)
    try await redis.command("HDEL", key, "output_file_name", "output_url", "finished_at")
    try await redis.command("HSET", key, "status", "waiting")
    try await redis.command("LPUSH", ConsumerHarness.queue, key)
    var again: [String: String] = [:]
    try await bench.withServices(frames: nil) { again = try await bench.harness.end(of: key) }
    #expect(again["status"] == "done")
    #expect(again["output_file_name"] == done["output_file_name"])

    // An operator's requeue is another matter.
    #expect(try await bench.tool().requeue(key) == .requeued)
    try await bench.withServices {
      let anew = try await bench.harness.end(of: key)
      #expect(anew["status"] == "done", "\(anew["reason"] ?? "")")
      #expect(anew["output_file_name"] != done["output_file_name"])
    }
  }

  @Test(.redisServer, arguments: GoldenJob.tracking)
  func `a job gives the fields and the archive that it gave`(golden: GoldenJob) async throws {
    let bench = try TrackingBench()
    let input = try Data(contentsOf: URL(filePath: Fixtures.jobs + "/inputs/\(golden.input)"))
    let fields = try await bench.run(
      input, name: golden.input,
      fields: golden.before.filter { !$0.key.hasSuffix("_at") && $0.key != "status" },
      type: "caliban", frames: consumers["image"])
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    for (field, value) in golden.after {
      switch field {
      // Theirs never moved.
      case "progress": #expect(fields[field] == "100")
      case "created_at", "updated_at", "updated_by", "identity_started", "identity_upload",
        "finished_at", "output_file_name", "output_url", "total_time":
        #expect(fields[field]?.isEmpty == false, "\(field)")
      default: #expect(fields[field] == value, "\(field)")
      }
    }
    let files = try bench.files(of: fields)
    #expect(files.map(\.name) == golden.members.map(\.name))
    for member in golden.members where member.name.hasSuffix(".tif") {
      let image = try ImageFile.decode(bench.file(member.name, of: fields), name: member.name)
      #expect(image.pixels.dtype.rawValue == member.dtype)
      #expect(image.pixels.shape == member.shape)
      #expect(image.pixels.asFloat.elements.contains { $0 > 0 })
    }
    let lineage = try bench.file("lineage.json", of: fields)
    let tracks = try JSONDecoder().decode([String: Track].self, from: Data(lineage))
    #expect(tracks.count > 3)
    #expect(tracks.allSatisfy { $0.key == String($0.value.label) })
  }
}

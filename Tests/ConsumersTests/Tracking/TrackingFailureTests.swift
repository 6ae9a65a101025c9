import Arrays
import Buckets
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import TestSupport
import Testing

@testable import Consumers

/// Movies that cannot be tracked, and frames that cannot be segmented.
@Suite struct TrackingFailureTests {
  struct Bad: Sendable, CustomTestStringConvertible {
    let name: String
    let file: String
    var code = JobError.Code.invalidInput
    let words: String
    var fault: PositionModels.Fault?
    var settings: @Sendable (inout ConsumerSettings) -> Void = { _ in }
    let input: @Sendable () throws -> Data
    var testDescription: String { name }
  }

  private static func track(
    _ name: String, _ words: String, raw: NDArray<Float>? = nil, tracked: AnyNDArray? = nil
  ) -> Bad {
    Bad(name: name, file: "a.trk", words: words) {
      try DiscMovie.trackFile(raw: raw.map(AnyNDArray.init), tracked: tracked)
    }
  }

  private static func model(
    _ name: String, _ code: JobError.Code, _ words: String, _ fault: PositionModels.Fault
  ) -> Bad {
    Bad(name: name, file: "a.trk", code: code, words: words, fault: fault) {
      try DiscMovie.trackFile()
    }
  }

  private static let movies: [Bad] = [
    Bad(name: "one frame", file: "a.tif", words: "a.tif has one frame; cells are tracked through") {
      try DiscMovie.tiff(DiscMovie.frames().slice(0))
    },
    Bad(name: "one frame of a stack", file: "a.tiff", words: "a.tiff has one frame") {
      try DiscMovie.tiff(DiscMovie.frames(count: 1))
    },
    Bad(name: "two sizes", file: "a.tif", words: "pages of another size or type than its first") {
      let file = "/../images/golden/get_image/tif_multipage_different_shapes/a.tif"
      return try Data(contentsOf: URL(filePath: Fixtures.jobs + file))
    },
    Bad(
      name: "four dimensions", file: "a.tif",
      words: "has the shape (2, 5, 72, 80), which is not 3 dimensions"
    ) {
      let frames = DiscMovie.frames().expandingDimensions(at: 0)
      return try DiscMovie.tiff(.concatenated([frames, frames]))
    },
    Bad(
      name: "many frames", file: "a.tif", words: "the image has 5 frames; at most 4 are allowed",
      settings: { $0.imageLimits.frames = 4 },
      input: { try DiscMovie.tiff() }),
    Bad(
      name: "large frames", file: "a.trk", words: "larger than the maximum supported image size",
      settings: { $0.imageLimits.width = 79 },
      input: { try DiscMovie.trackFile() }),
    Bad(name: "no stack", file: "a.tif", words: "is not a TIFF image") { Data("cells".utf8) },
    Bad(
      name: "another ending", file: "a.png",
      words:
        "Invalid filetype for \"predict\" job: uploads/a.png is none of .tif, .tiff, .trk, .trks"
    ) { try DiscMovie.tiff() },
  ]

  private static let trackFiles: [Bad] = [
    track(
      "a track of one frame", "has one frame", raw: NDArray(shape: [1, 4, 4, 1]),
      tracked: AnyNDArray(NDArray<Int32>(shape: [1, 4, 4, 1]))),
    track(
      "labels of another size", "which do not belong to each other",
      tracked: AnyNDArray(NDArray<Int32>(shape: [5, 72, 79, 1]))),
    track(
      "labels that are no whole numbers", "holds float32 where labels",
      tracked: AnyNDArray(NDArray<Float>(shape: [5, 72, 80, 1]))),
    track(
      "negative labels", "holds labels that are negative or over 2147483647",
      tracked: AnyNDArray(NDArray<Int16>(shape: [5, 72, 80, 1], repeating: -1))),
    track(
      "huge labels", "holds labels that are negative or over 2147483647",
      tracked: AnyNDArray(NDArray<UInt64>(shape: [5, 72, 80, 1], repeating: .max))),
    track("three axes", "raw.npy of a.trk has the shape (5, 72, 80)", raw: DiscMovie.frames()),
    track("two channels", "the movie has 2 channels", raw: NDArray(shape: [5, 72, 80, 2])),
    track(
      "two movies", "a.trk holds 2 movies; send each as a file of its own",
      raw: NDArray(shape: [2, 5, 72, 80, 1])),
    track(
      "pixels that are no numbers", "not a number (NaN)",
      raw: NDArray(shape: [5, 72, 80, 1], repeating: .nan)),
    track("no pixels", "the image has no pixels", raw: NDArray(shape: [5, 0, 80, 1])),
    Bad(name: "no track file", file: "a.trk", words: "is not a tar archive: it is a TIFF image") {
      try DiscMovie.tiff()
    },
    Bad(name: "half a track file", file: "a.trk", words: "ends too early") {
      try DiscMovie.trackFile().prefix(100_000)
    },
  ]

  private static let models: [Bad] = [
    model("no encoder", .unsupportedModel, "TrackingNE:6", .missing(PositionModels.encoder)),
    model("no tracker", .unsupportedModel, "TrackingInf:6", .missing(PositionModels.tracker)),
    model(
      "a model of images", .unsupportedModel, "takes image where models that describe cells",
      .otherInputs),
    model(
      "embeddings of another shape", .predictInvalid, "embeddings of shape (1, 2, 3)",
      .shape(PositionModels.encoder)),
    model("an encoder of one output", .predictInvalid, "answered 1 outputs, not 2", .oneOutput),
    model(
      "probabilities of another shape", .predictInvalid, "answered (1, 2, 3) to the comparison",
      .shape(PositionModels.tracker)),
    model(
      "probabilities that are no numbers", .predictInvalid, "not a number (NaN)",
      .notFinite(PositionModels.tracker)),
    Bad(
      name: "pictures of another size", file: "a.trk", code: .unsupportedModel,
      words: "takes pictures of cells of 32 x 32 pixels, not of 16 x 16; set APPEARANCE_DIM",
      settings: { $0.tracking.appearance.size = 16 },
      input: { try DiscMovie.trackFile() }),
  ]

  @Test(.redisServer, arguments: movies + trackFiles + models)
  func `what cannot be tracked fails in words, and leaves nothing`(bad: Bad) async throws {
    let bench = try TrackingBench(bad.fault, change: bad.settings)
    let fields = try await bench.run(bad.input(), name: bad.file, frames: nil)
    let reason = try BadInputTests.checkFailure(fields, bad.code, bench.harness)
    #expect(reason.contains(bad.words), "\(reason)")
    #expect(bench.objects().isEmpty)
    #expect(try await bench.harness.list(TrackingBench.frameQueue).isEmpty)
  }

  // MARK: Children

  @Test(
    .redisServer,
    arguments: [
      ("fail", JobError.Code.invalidInput, "InvalidInput: the frame is blurred"),
      ("small", .internal, "have the shape (3, 3), not that of the frame, (72, 80)"),
      ("no labels", .internal, "has 0 label images, not one"),
    ])
  func `a frame that fails ends the job, and nothing is left`(
    fault: String, code: JobError.Code, words: String
  ) async throws {
    let bench = try TrackingBench()
    try await bench.harness.redis.command("SET", "fault", fault)
    var fields: [String: String] = [:]
    let key = try await bench.harness.submit(DiscMovie.tiff(), name: "movie.tif")
    try await bench.withServices {
      fields = try await bench.harness.end(of: key)
      // Frames that were in work when the job failed bring their results later.
      try await eventually("nothing is left in the bucket") {
        await ObjectSweep(bench.harness.context).run()
        return bench.objects().isEmpty
      }
    }
    let reason = try BadInputTests.checkFailure(fields, code, bench.harness)
    #expect(reason.contains(words), "\(reason)")
    if fault == "fail" {
      #expect(reason.contains("frame 2 of movie.tif, counted from 0, could not be segmented"))
    }
  }

  @Test(.redisServer) func `a result that comes after the job has failed is removed`() async throws
  {
    let bench = try TrackingBench()
    let key = try await bench.harness.submit(DiscMovie.tiff(), name: "movie.tif")
    try await bench.withServices(frames: nil) {
      let children = try await bench.children(of: key)
      let frames = bench.tool(TrackingBench.frameQueue)
      let jobs = try await frames.claim(upTo: 2).jobs
      let result = try await bench.harness.context.bucket.upload(
        URL(filePath: #filePath), to: UploadDestination()
      ) { _ in }
      _ = try await frames.fail(
        jobs[0], JobFailure(.input, reason: "InvalidInput: blurred", errorCode: "invalid_input"))
      #expect(try await bench.harness.end(of: key)["status"] == "failed")
      await ObjectSweep(bench.harness.context).run()
      #expect(bench.objects().count == 1, "it may still be needed")
      #expect(children.contains(jobs[1].key))
      _ = try await frames.finish(jobs[1], .done, [Field.outputFileName: result.key])
      await ObjectSweep(bench.harness.context).run()
      #expect(bench.objects().isEmpty)
      #expect(
        try await bench.harness.redis.command(
          "EXISTS", Keys.objectMakers(of: ConsumerHarness.queue)) == 0)
    }
  }

  @Test(.redisServer, arguments: ["canceled", "vanished", "timeout"])
  func `a frame that does not come to an end of its own ends the job`(fate: String) async throws {
    let bench = try TrackingBench()
    let key = try await bench.harness.submit(DiscMovie.tiff(), name: "movie.tif")
    try await bench.withServices(frames: nil) {
      let children = try await bench.children(of: key)
      let frames = bench.tool(TrackingBench.frameQueue)
      switch fate {
      case "canceled": #expect(try await frames.cancel(children[3]) == .canceled)
      case "timeout":
        let jobs = try await frames.claim(upTo: 5).jobs
        let job = try #require(jobs.first { $0.key == children[3] })
        _ = try await frames.fail(
          job, JobFailure(.input, reason: "Timeout: it took too long", errorCode: "timeout"))
      default:
        try await bench.harness.redis.command("DEL", children[3])
        // What looks after parents finds it.
        _ = try await bench.tool().reconcile()
        try await bench.harness.withService(FrameConsumer.self, on: TrackingBench.frameQueue) { _ in
          _ = try await bench.harness.end(of: key)
        }
      }
      let fields = try await bench.harness.end(of: key)
      let code = JobError.Code(rawValue: fate) ?? .internal
      let reason = try BadInputTests.checkFailure(fields, code, bench.harness)
      #expect(reason.contains("frame 3 of movie.tif"), "\(reason)")
      // A frame that was in work when the job failed may have brought its result since.
      #expect(bench.objects().filter { $0.contains("tracking-frame") }.isEmpty)
      guard fate != "vanished" else { return }
      _ = try await bench.tool().reconcile()
      #expect(try await bench.harness.list(TrackingBench.frameQueue).isEmpty)
    }
  }

  @Test(.redisServer)
  func `a movie that is cancelled while its frames are segmented ends with them`()
    async throws
  {
    let bench = try TrackingBench()
    try await bench.harness.redis.command("SET", "fault", "hang")
    let key = try await bench.harness.submit(DiscMovie.tiff(), name: "movie.tif")
    try await bench.withServices(slots: 1) {
      let children = try await bench.children(of: key)
      try await eventually("a frame hangs") {
        try await bench.harness.fields(children[2])["status"] == "started"
      }
      #expect(try await bench.tool().cancel(key) == .canceled)
      #expect(try await bench.harness.fields(key)["error_code"] == "canceled")
      #expect(try await bench.harness.end(of: children[2])["error_code"] == "canceled")
      // Its files go when a worker of the queue looks for what ended jobs left.
      #expect(bench.objects().contains { $0.contains("tracking-frame") })
      await ObjectSweep(bench.harness.context).run()
      #expect(!bench.objects().contains { $0.contains("tracking-frame") })
    }
  }

  @Test(.redisServer) func `a frame is segmented once, whatever happens to the movie's worker`()
    async throws
  {
    let bench = try TrackingBench()
    let key = try await bench.harness.submit(DiscMovie.tiff(), name: "movie.tif")
    try await bench.withServices {
      let children = try await bench.children(of: key)
      // As the janitor does.
      try await bench.harness.redis.command("LPUSH", ConsumerHarness.queue, key)
      let fields = try await bench.harness.end(of: key)
      #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
      for child in children {
        let name = try #require(await bench.harness.fields(child)["original_name"])
        #expect(try await bench.harness.redis.command("GET", "runs \(name)").string == "1")
      }
    }
  }
}

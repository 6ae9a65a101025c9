import Arrays
import Foundation
import ImageAlgorithms
import ImageFiles
import JobQueue
import RedisClient
import TestSupport
import Testing

@testable import Consumers

@Suite struct SpotConsumerTests {
  private struct Outcome {
    let fields: [String: String]
    let files: [String: AnyNDArray]

    /// Rows of the coordinates of a frame.
    func spots(_ frame: Int) throws -> Set<[Double]> {
      let array = try #require(files["dots_\(frame).npy"]?.typed(as: Double.self))
      #expect(array.rank == 2 && array.shape[1] == 2)
      return Set((0..<array.shape[0]).map { array.slice($0).elements })
    }
  }

  private static func run(
    _ image: NDArray<Float>, _ fields: [String: String] = [:],
    change: (inout ConsumerSettings) -> Void = { _ in }
  ) async throws -> Outcome {
    let models = try BrightModels(side: 64).serve()
    let harness = try ConsumerHarness(models: models.client, change: change)
    let key = try await harness.submit(
      Data(NPYEncoder.encode(image)), name: "dots.npy", fields: fields)
    var end: [String: String] = [:]
    try await harness.withService(SpotConsumer.self) { _ in end = try await harness.end(of: key) }
    #expect(end["status"] == "done", "\(end["reason"] ?? "")")
    #expect(try harness.leftovers.isEmpty)
    let archive = harness.store.file(try #require(end["output_file_name"]))
    let reader = try ZipReader(path: archive, name: "output.zip")
    var files: [String: AnyNDArray] = [:]
    for member in reader.members {
      let bytes = try reader.bytes(of: member, limit: member.size)
      files[member.name] = try ImageFile.decode(bytes, name: member.name).pixels
    }
    return Outcome(fields: end, files: files)
  }

  /// An image of dots, and where the model finds them.
  private static func dots(
    _ shape: Shape, at places: [(Int, Int)]
  ) -> (image: NDArray<Float>, spots: Set<[Double]>) {
    var image = NDArray<Float>(shape: shape, repeating: 10)
    for (row, column) in places { image[row, column] = 500 }
    return (image, Set(places.map { [Double($0) + 0.25, Double($1) - 0.5] }))
  }

  @Test(.redisServer) func `spots are rows and columns in fractions of a pixel`() async throws {
    let (image, spots) = Self.dots([50, 60], at: [(4, 9), (30, 44), (48, 1)])
    // Neither of these is about spots.
    let outcome = try await Self.run(image, ["scale": "abc", "channels": "9"])
    #expect(outcome.files.keys.sorted() == ["dots_0.npy", "dots_0.tif"])
    #expect(try outcome.spots(0) == spots)
    #expect(outcome.fields["dim_order"] == "YXC")
    #expect(outcome.fields["scale"] == "abc")

    let picture = try #require(outcome.files["dots_0.tif"]?.typed(as: UInt8.self))
    #expect(picture.shape == [50, 60, 3])
    let magenta = (0..<3000).filter { i in
      picture.slice(i / 60).slice(i % 60).elements == [255, 0, 255]
    }
    #expect(magenta.count == 15)
    #expect(magenta.contains(30 * 60 + 44))
  }

  @Test(.redisServer) func `an image without a spot gives an array without rows`() async throws {
    for image in [
      NDArray<Float>(shape: [50, 60], repeating: 3),
      // Brighter towards the edge, where no spot counts.
      NDArray(shape: [50, 60], elements: (0..<3000).map { Float($0 % 60) }),
    ] {
      let outcome = try await Self.run(image)
      #expect(outcome.files.keys.sorted() == ["dots_0.npy", "dots_0.tif"])
      #expect(outcome.files["dots_0.npy"]?.dtype == .float64)
      #expect(outcome.files["dots_0.npy"]?.shape == [0, 2])
      #expect(outcome.files["dots_0.tif"]?.shape == [50, 60, 3])
    }
  }

  @Test(.redisServer, arguments: [true, false])
  func `each frame of a stack has files of its own`(framesFirst: Bool) async throws {
    let frames = [
      Self.dots([50, 60], at: [(4, 9), (30, 44)]), Self.dots([50, 60], at: []),
      Self.dots([50, 60], at: [(20, 20)]),
    ]
    var image = try NDArray.concatenated(frames.map { $0.image.expandingDimensions(at: 0) })
    if !framesFirst { image = image.movingAxis(0, to: 2) }
    let outcome = try await Self.run(image)
    #expect(
      outcome.files.keys.sorted()
        == (0..<3).flatMap { ["dots_\($0).npy", "dots_\($0).tif"] })
    for (index, frame) in frames.enumerated() {
      #expect(try outcome.spots(index) == frame.spots)
    }
  }

  @Test(.redisServer) func `settings say how likely a spot must be`() async throws {
    var (image, spots) = Self.dots([64, 64], at: [(4, 9), (30, 44)])
    image[60, 50] = 400
    #expect(try await Self.run(image).spots(0) == spots)
    let more = try await Self.run(image) { $0.spots.threshold = 0.7 }
    spots.insert([60.25, 49.5])
    #expect(try more.spots(0) == spots)
    // All that is bright is cut off.
    #expect(try await Self.run(image) { $0.spots.clips = true }.spots(0).isEmpty)
  }
}

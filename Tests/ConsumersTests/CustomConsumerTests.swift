import ConsumerTestSupport
import Foundation
import RedisConsumer
import TestSupport
import Testing

/// Consumers as their authors write and test them.
@Suite struct CustomConsumerTests {
  /// The example of the founding documents: each pixel gets the class that the model gives it.
  final class PixelClassConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      let image = try decode(await download(job.inputFileName))
      let scores = try await grpcImage(image, model: "Pixelwise:1")
      let labels = try argmax(scores, axis: 3)

      let files = try saveArray(labels.slice(0), name: job.originalName)
      let uploaded = try await upload(zip(files))
      try await updateKey(
        job, ["output_file_name": uploaded.key, "output_url": uploaded.url])
      return .done
    }
  }

  /// Class 1 where a pixel is over 2, else class 0.
  private static let pixelwise: TestModels = [
    "Pixelwise:1": TestModel(input: "image", shape: [-1, -1, -1, 1]) { image in
      let scores = image.elements.flatMap { [Float(2), $0] }
      return ["prediction": NDArray(shape: image.shape.dropLast() + [2], elements: scores)]
    }
  ]

  @Test func `a consumer of one file does its job`() async throws {
    let result = try await withImage([2, 3], [0, 1, 2, 3, 4, 5]) {
      try await ConsumerTest.run(PixelClassConsumer.self, input: $0, models: Self.pixelwise)
    }
    #expect(result.status == .done, "\(result)")
    #expect(
      result.images == [
        "image_feature_0.tif": NDArray(shape: [2, 3], elements: [0, 0, 0, 1, 1, 1])
      ])
    #expect(result.leftovers.isEmpty)
  }

  @Test func `an image is cut into tiles of the model's size`() async throws {
    final class DoublingConsumer: TensorFlowServingConsumer {
      override func consume(_ job: Job) async throws -> JobStatus {
        let image = try decode(await download(job.inputFileName))
        let doubled = try await grpcImage(image, model: "Double:2", output: "both")
        let uploaded = try await upload(zip(saveArray(doubled.slice(0), name: job.originalName)))
        try await updateKey(job, [Field.outputFileName: uploaded.key])
        return .done
      }
    }
    let models: TestModels = [
      "Double:2": TestModel(shape: [-1, 64, 64, 1]) { tiles in
        let both = tiles.elements.flatMap { [$0, 2 * $0] }
        return [
          "both": NDArray(shape: tiles.shape.dropLast() + [2], elements: both), "another": tiles,
        ]
      }
    ]
    // More tiles than fit one call, another size than a multiple of theirs, and less than one.
    for shape in [[300, 150], [40, 100], [64, 64], [20, 30]] {
      var generator = SeededGenerator(seed: shape[0])
      let pixels = (0..<(shape[0] * shape[1])).map { _ in Float.random(in: 0...1, using: &generator)
      }
      let result = try await withImage(shape, pixels) {
        try await ConsumerTest.run(DoublingConsumer.self, input: $0, models: models) {
          $0.maximumBatchSize = 2
        }
      }
      #expect(result.status == .done, "\(result)")
      for channel in 0...1 {
        let image = try #require(result.images["image_feature_\(channel).tif"])
        #expect(image.shape == shape)
        // Where tiles are blended, their weights add up to a little more than 1.
        #expect(
          zip(image.elements, pixels).allSatisfy {
            abs($0 - Float(channel + 1) * $1) <= 0.01 * $0
          })
      }
    }
  }

  @Test func `two models are called at the same time`() async throws {
    final class TwoModelsConsumer: TensorFlowServingConsumer {
      override func consume(_ job: Job) async throws -> JobStatus {
        let image = try decode(await download(job.inputFileName))
        let tiles = image.expandingDimensions(at: 0)
        let weights = NDArray<Float>(shape: [1, 2], elements: [10, 20])

        let nuclei = try getPredictClient("Nuclei:3")
        let cells = try getPredictClient("Cells:1")
        async let inside = nuclei.predict(["image": tiles])
        async let edges = cells.predict(["image": tiles, "weights": weights])
        let (insides, outlines) = try await (inside, edges)

        try await updateKey(
          job,
          [
            "inside": "\(insides["inside"]?.asFloat.elements ?? [])",
            "outline": "\(outlines["outline"]?.asFloat.elements ?? [])",
          ])
        return .done
      }
    }
    // Each answers only when the other has been called.
    let calls = Watched(0)
    @Sendable func meet() async throws {
      await calls.update { $0 += 1 }
      try await calls.wait { $0 == 2 }
    }
    let models: TestModels = [
      "Nuclei:3": TestModel(input: "image", shape: [-1, -1, -1]) { image in
        try await meet()
        return ["inside": image.map { $0 + 1 }]
      },
      "Cells:1": TestModel(inputs: ["image": [-1, 1, 2], "weights": [-1, 2]]) { inputs in
        try await meet()
        let pairs = zip(inputs["image"]?.elements ?? [], inputs["weights"]?.elements ?? [])
        return ["outline": NDArray(shape: [1, 2], elements: pairs.map { $0 * $1 })]
      },
    ]
    let result = try await withImage([1, 2], [3, 4]) {
      try await ConsumerTest.run(TwoModelsConsumer.self, input: $0, models: models)
    }
    #expect(result.status == .done, "\(result)")
    #expect(result.fields["inside"] == "[4.0, 5.0]")
    #expect(result.fields["outline"] == "[30.0, 80.0]")
  }

  @Test func `an answer that cannot be put together to an image fails the job`() async throws {
    final class OneNumberConsumer: TensorFlowServingConsumer {
      override func consume(_ job: Job) async throws -> JobStatus {
        let image = try decode(await download(job.inputFileName))
        _ = try await grpcImage(image, model: "Number:1", output: job["wanted"])
        return .done
      }
    }
    let models: TestModels = [
      "Number:1": TestModel(shape: [-1, 64, 64, 1]) {
        ["number": NDArray(shape: [$0.shape[0], 1], repeating: 3)]
      }
    ]
    func run(_ fields: [String: String] = [:]) async throws -> ConsumerTestResult {
      try await withImage([70, 70], Array(repeating: 1, count: 4900)) {
        try await ConsumerTest.run(
          OneNumberConsumer.self, input: $0, fields: fields, models: models)
      }
    }
    let odd = try await run()
    #expect(odd.status == .failed)
    #expect(odd.fields["error_code"] == "predict_invalid")
    #expect(odd.reason?.contains("(4, 1) to tiles of shape (4, 64, 64, 1)") == true, "\(odd)")

    let missing = try await run(["wanted": "colour"])
    #expect(missing.reason?.contains("\"colour\"") == true, "\(missing)")
  }
}

/// Runs `body` with a TIFF file called `image.tif`.
func withImage<Result>(
  _ shape: Shape, _ pixels: [Float], _ body: (URL) async throws -> Result
) async throws -> Result {
  let folder = try TemporaryFolder()
  defer { withExtendedLifetime(folder) {} }
  let url = URL(filePath: folder.file("image.tif"))
  let array = AnyNDArray(NDArray(shape: shape, elements: pixels))
  try Data(LabelFiles.encode(array, channel: 0)).write(to: url)
  return try await body(url)
}

import Arrays
import Foundation
import ImageFiles
import JobQueue
import ModelServing
import RedisClient
import Serving
import TestSupport
import Testing

/// The consumer of the README, which is `PixelClassConsumer.swift` beside this file.
@Suite struct CustomConsumerTests {
  @Test(.redisServer) func `the README's consumer does its job`() async throws {
    let host = try ModelServerHost(address: "127.0.0.1", port: 0) { call in
      switch call.request {
      case .metadata(let model):
        let image = ModelMetadata.Tensor(
          graphName: "serving_default_image:0", type: TensorType(.float32), shape: [-1, -1, -1, 1])
        return .metadata(ModelMetadata(inputs: ["image": image]), model: model)
      case .predict(let call):
        guard let image = call.inputs["image"]?.typed(as: Float.self) else {
          return .failure(.invalidArgument, "image is missing")
        }
        // Class 1 where a pixel is over 2, else class 0.
        let scores = NDArray<Float>(
          shape: Array(image.shape.dropLast()) + [2], elements: image.elements.flatMap { [2, $0] })
        return .outputs(
          ["prediction": AnyNDArray(scores)], model: call.model, encoding: .tensorContent)
      default: return .failure(.unimplemented, "not here")
      }
    }
    let harness = try ConsumerHarness(models: ThresholdModels.client(of: host))
    let image = NDArray<Float>(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5])
    let key = try await harness.submit(
      Data(try LabelFiles.encode(AnyNDArray(image), channel: 0)), name: "tiny.tif")

    try await harness.withService(PixelClassConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
      let archive = harness.store.file(try #require(fields["output_file_name"]))
      let reader = try ZipReader(path: archive, name: "output.zip")
      let member = try #require(reader.members.first)
      #expect(member.name == "tiny_feature_0.tif")
      let labels = try ImageFile.decode(
        try reader.bytes(of: member, limit: member.size), name: member.name)
      #expect(labels.pixels.asFloat == NDArray(shape: [2, 3], elements: [0, 0, 0, 1, 1, 1]))
    }
  }

  @Test func `the README shows the consumer that is tested`() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let code = try String(
      contentsOf: folder.appending(path: "PixelClassConsumer.swift"), encoding: .utf8)
    let readme = try String(
      contentsOf: folder.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "README.md"), encoding: .utf8)
    #expect(readme.contains(code.replacing("import Consumers\n", with: "")))
  }
}

import ConsumerTestSupport
import Foundation
import RedisConsumer
import Testing

@testable import ConsumeNuclei

@Suite struct NucleiConsumerTests {
  @Test func `nuclei are labelled and counted`() async throws {
    let result = try await ConsumerTest.run(NucleiConsumer.self, input: Self.image)
    #expect(result.status == .done, "\(result)")
    #expect(result.statuses == [.new, .started, .done])
    let labels = try #require(result.images["nuclei_feature_0.tif"])
    #expect(labels.shape == [512, 512])
    let count = try #require(labels.elements.max())
    #expect(result.fields["nuclei"] == "\(Int(count))")
    // 125 were counted by hand.
    #expect((100...150).contains(count))
    #expect(result.leftovers.isEmpty)
  }

  @Test func `the program knows the consumer by its name`() async throws {
    let result = try await ConsumerTest.run(
      program: "consume-nuclei", type: "nuclei", input: Self.image)
    #expect(result.status == .done, "\(result)")
    #expect(result.files.keys.sorted() == ["nuclei_feature_0.tif"])
    #expect(result.leftovers.isEmpty)
  }

  private static let image = URL(filePath: #filePath)
    .appending(path: "../../../../nuclei.tif").standardized
}

import Arrays
import ModelServing
import Serving
import TestSupport
import Testing

/// What leaves the client, byte by byte.
@Suite struct RequestTests {
  /// The message of the one call that `body` makes.
  private func message(
    _ change: (inout ServingConfiguration) -> Void = { _ in },
    of body: (ServingClient) async throws -> Void
  ) async throws -> [UInt8] {
    let messages = Watched<[[UInt8]]>([])
    let server = try ModelServerHost { call in
      await messages.update { $0.append(call.message) }
      return .failure(.failedPrecondition, "")
    }
    let client = ServingClient(port: server.port, change)
    await #expect(throws: ServingError.self) { try await body(client) }
    await server.stop()
    return try #require(await messages.value.first)
  }

  @Test func `a metadata request is the one the Python service sends`() async throws {
    let sent = try await message { _ = try await $0.metadata(of: testModel) }
    #expect(sent == (try fixture("GetModelMetadata_NuclearSegmentation.request.pb")))
  }

  @Test(arguments: [false, true])
  func `a predict request has the fields of the public interface`(isCompressed: Bool) async throws {
    let compress = { (configuration: inout ServingConfiguration) in
      configuration.compressesRequests = isCompressed
    }
    let sent = try await message(compress) { client in
      _ = try await client.predict(
        model: testModel,
        inputs: [
          "b": AnyNDArray(NDArray<Int16>(shape: [1, 2], elements: [-2, 258])),
          "a": AnyNDArray(NDArray<Float>(shape: [], elements: [1])),
          "c": AnyNDArray(NDArray<Double>(shape: [0, 3])),
        ], outputs: .named(["y", "x"]))
    }
    func input(_ request: inout WireWriter, _ name: String, _ tensor: (inout WireWriter) -> Void) {
      request.message(2) { entry in
        entry.bytes(1, Array(name.utf8))
        entry.message(2, tensor)
      }
    }
    #expect(
      sent
        == WireWriter.message { request in
          request.message(1) { model in
            model.bytes(1, Array("NuclearSegmentation".utf8))
            model.message(2) { $0.varint(1, 6) }
          }
          input(&request, "a") { tensor in
            tensor.varint(1, 1)
            tensor.shape([])
            tensor.bytes(4, [0, 0, 0x80, 0x3f])
          }
          input(&request, "b") { tensor in
            tensor.varint(1, 5)
            tensor.shape([1, 2])
            tensor.bytes(4, [0xfe, 0xff, 2, 1])
          }
          input(&request, "c") { tensor in
            tensor.varint(1, 2)
            tensor.shape([0, 3])
          }
          request.bytes(3, Array("x".utf8))
          request.bytes(3, Array("y".utf8))
        })
  }
}

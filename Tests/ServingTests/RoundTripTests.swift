import Arrays
import ModelServing
import Serving
import TestSupport
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: [ModelServerReply.Encoding.typed, .tensorContent])
  func `every type arrives bit by bit in both directions`(
    encoding: ModelServerReply.Encoding
  ) async throws {
    let server = try ModelServerHost(handler: echo(encoding))
    let client = ServingClient(port: server.port)
    for seed in 0..<40 {
      var generator = SeededGenerator(seed: seed)
      var inputs: [String: AnyNDArray] = [:]
      for dtype in DType.allCases {
        inputs[dtype.rawValue] = .random(dtype, using: &generator)
      }
      let outputs = try await client.predict(model: testModel, inputs: inputs)
      #expect(outputs.count == inputs.count)
      for (name, input) in inputs {
        let output = try #require(outputs[name])
        #expect(output.isIdentical(to: input), "seed \(seed): \(input) became \(output)")
      }
    }
  }

  @Test func `an array of megabytes and a slice of one arrive whole`() async throws {
    let server = try ModelServerHost(handler: echo(.tensorContent))
    let client = ServingClient(port: server.port)
    var generator = SeededGenerator(seed: 1)
    let whole = AnyNDArray.random(.uint8, shape: [3, 1 << 20], using: &generator)
    let slice = whole.slice(1..<3)
    let outputs = try await client.predict(model: testModel, inputs: ["a": whole, "b": slice])
    #expect(outputs["a"]?.isIdentical(to: whole) == true)
    #expect(outputs["b"]?.bytes == Array(whole.bytes[(1 << 20)...]))
  }

  @Test func `the server sees model, version, filter and headers`() async throws {
    let calls = Watched<[ModelServerCall]>([])
    let server = try ModelServerHost { call in
      await calls.update { $0.append(call) }
      return .outputs(
        ["a": .floats([1]), "b": .floats([1])], model: ModelSelection(name: "m", version: 1),
        encoding: .typed)
    }
    let client = ServingClient(port: server.port)
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let context = CallContext(headers: [
      "traceparent": trace, "Not Allowed": "x", "line": "a\r\nb: c", "bytes-bin": "x",
    ])
    let outputs = try await client.predict(
      model: testModel, inputs: ["x": .floats([1])], outputs: .named(["b"]), context: context)

    #expect(outputs.keys.sorted() == ["b"])
    let call = try #require(await calls.value.first)
    #expect(call.method == "/tensorflow.serving.PredictionService/Predict")
    #expect(call.headers["traceparent"] == trace)
    #expect(call.headers["line"] == nil)
    #expect(call.timeLeft > .zero && call.timeLeft <= .seconds(303))
    guard case .predict(let predict) = call.request else {
      Issue.record("not a Predict call")
      return
    }
    #expect(predict.model == ModelSelection(name: "NuclearSegmentation", version: 6))
    #expect(predict.outputFilter == ["b"])
  }

  @Test func `only the first and last output are copied, and soon only those are sent`()
    async throws
  {
    let filters = Watched<[[String]]>([])
    let server = try ModelServerHost { call in
      guard case .predict(let predict) = call.request else { return .failure(.internal, "") }
      await filters.update { $0.append(predict.outputFilter) }
      // The middle one claims more memory than a reply may take.
      let names = ["semantic_0", "semantic_1", "semantic_2"]
      return .bytes(
        WireWriter.message { reply in
          for name in names
          where predict.outputFilter.isEmpty || predict.outputFilter.contains(name) {
            reply.output(name) { tensor in
              tensor.varint(1, 1)
              tensor.shape(name == "semantic_1" ? [1 << 40] : [1])
              tensor.float(5, 3)
            }
          }
        })
    }
    let client = ServingClient(port: server.port)
    for _ in 0..<2 {
      let outputs = try await client.predict(
        model: testModel, inputs: ["x": .floats([1])], outputs: .firstAndLast)
      #expect(outputs.keys.sorted() == ["semantic_0", "semantic_2"])
      #expect(outputs["semantic_2"]?.asFloat.elements == [3])
    }
    #expect(await filters.value == [[], ["semantic_0", "semantic_2"]])
  }

  @Test func `outputs remembered of a model that was replaced are forgotten`() async throws {
    let isNew = Watched(false)
    let server = try ModelServerHost { call in
      guard case .predict(let predict) = call.request else { return .failure(.internal, "") }
      let names = await isNew.value ? ["x", "y"] : ["a", "b"]
      guard predict.outputFilter.allSatisfy(names.contains) else {
        return .failure(.invalidArgument, "output tensor alias not found in signature: a")
      }
      return .outputs(
        Dictionary(uniqueKeysWithValues: names.map { ($0, AnyNDArray.floats([1])) }),
        model: predict.model, encoding: .typed)
    }
    let client = ServingClient(port: server.port)
    for expected in [["a", "b"], ["a", "b"], ["x", "y"], ["x", "y"]] {
      await isNew.update { $0 = expected == ["x", "y"] }
      let outputs = try await client.predict(
        model: testModel, inputs: ["i": .floats([1])], outputs: .firstAndLast)
      #expect(outputs.keys.sorted() == expected)
    }
  }
}

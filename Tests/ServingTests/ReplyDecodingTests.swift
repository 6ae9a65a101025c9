import Arrays
import CTensorFlowServing
import Foundation
import Serving
import TestSupport
import Testing

/// The outputs of a reply, read from pieces of `pieceSize` bytes.
private func decode(
  _ bytes: [UInt8], pieceSize: Int = 3, budget: Int = 1 << 20
) throws -> [String: AnyNDArray] {
  let message = try PredictMessage(
    WireMessage(bytes: bytes, pieceSize: pieceSize), kind: TFS_PREDICT_RESPONSE)
  var budget = budget
  var outputs: [String: AnyNDArray] = [:]
  for (index, name) in message.names.enumerated() {
    outputs[name] = try message.array(at: index, budget: &budget)
  }
  return outputs
}

private func failure(_ tensor: (inout WireWriter) -> Void) -> String? {
  do {
    _ = try decode(WireWriter.message { $0.output("y", tensor) })
    return nil
  } catch {
    return (error as? ShimError)?.message
  }
}

@Suite struct ReplyDecodingTests {
  @Test(arguments: [1, 2, 7, 100, 1 << 20])
  func `values in several packed pieces, single ones and content agree`(pieceSize: Int) throws {
    let reply = WireWriter.message { reply in
      reply.output("mixed") { tensor in
        tensor.float(5, 1.5)
        tensor.bytes(5, [0, 0, 0, 0x40, 0, 0, 0x40, 0x40])
        tensor.shape([2, 2])
        tensor.varint(1, 1)
        tensor.float(5, 4.5)
      }
      reply.output("content") { tensor in
        tensor.varint(1, 1)
        tensor.bytes(4, [9, 9, 9])  // the last one counts
        tensor.bytes(4, [0, 0, 0xc0, 0x3f, 0, 0, 0, 0x40])
        tensor.shape([2])
      }
    }
    let outputs = try decode(reply, pieceSize: pieceSize)
    #expect(outputs["mixed"]?.shape == [2, 2])
    #expect(outputs["mixed"]?.asFloat.elements == [1.5, 2, 3, 4.5])
    #expect(outputs["content"]?.asFloat.elements == [1.5, 2])
  }

  @Test func `fewer values than elements repeat the last one`() throws {
    let reply = WireWriter.message { reply in
      reply.output("one") { tensor in
        tensor.varint(1, 4)
        tensor.shape([2, 3])
        tensor.varint(7, 7)
      }
      reply.output("two") { tensor in
        tensor.varint(1, 9)
        tensor.shape([4])
        tensor.bytes(10, [1, 2])
      }
    }
    let outputs = try decode(reply)
    #expect(outputs["one"]?.typed(as: UInt8.self)?.elements == [7, 7, 7, 7, 7, 7])
    #expect(outputs["two"]?.typed(as: Int64.self)?.elements == [1, 2, 2, 2])
  }

  @Test func `every integer field keeps its extreme values`() throws {
    func output(_ type: Int64, _ field: Int, _ values: [Int64]) throws -> AnyNDArray {
      try #require(
        try decode(
          WireWriter.message { reply in
            reply.output("y") { tensor in
              tensor.varint(1, type)
              tensor.shape([Int64(values.count)])
              for value in values { tensor.varint(field, value) }
            }
          })["y"])
    }
    #expect(try output(3, 7, [-2_147_483_648, -1]).typed(as: Int32.self)?.elements == [.min, -1])
    #expect(try output(3, 7, [0xffff_ffff]).typed(as: Int32.self)?.elements == [-1])
    #expect(try output(5, 7, [-32768, 32767]).typed(as: Int16.self)?.elements == [.min, .max])
    #expect(try output(6, 7, [-128, 127]).typed(as: Int8.self)?.elements == [.min, .max])
    #expect(try output(17, 7, [65535]).typed(as: UInt16.self)?.elements == [.max])
    #expect(try output(22, 16, [0xffff_ffff]).typed(as: UInt32.self)?.elements == [.max])
    #expect(try output(23, 17, [-1]).typed(as: UInt64.self)?.elements == [.max])
    #expect(try output(9, 10, [.min, .max]).typed(as: Int64.self)?.elements == [.min, .max])
    #expect(try output(10, 11, [0, 1, 5]).typed(as: Bool.self)?.elements == [false, true, true])
    #expect(try output(19, 13, [0x3c00]).typed(as: Float16.self)?.elements == [1])
  }

  @Test func `unknown fields are skipped and the last of equal keys counts`() throws {
    let reply = WireWriter.message { reply in
      reply.varint(99, -1)
      reply.output("y") { $0.shape([-1]) }
      reply.float(98, 1)
      reply.output("y") { tensor in
        tensor.bytes(77, [1, 2, 3])
        tensor.varint(1, 4)
        tensor.varint(7, 3)
      }
    }
    let outputs = try decode(reply)
    #expect(outputs.count == 1)
    #expect(outputs["y"]?.shape == [])
    #expect(outputs["y"]?.typed(as: UInt8.self)?.elements == [3])
  }

  @Test func `content bytes other than 0 and 1 become proper booleans`() throws {
    let reply = WireWriter.message { reply in
      reply.output("y") { tensor in
        tensor.varint(1, 10)
        tensor.shape([3])
        tensor.bytes(4, [0, 2, 255])
      }
    }
    #expect(try decode(reply)["y"]?.bytes == [0, 1, 1])
  }

  @Test func `an empty reply has no outputs and an empty tensor no values`() throws {
    #expect(try decode([]).isEmpty)
    let reply = WireWriter.message { reply in
      reply.output("y") { tensor in
        tensor.varint(1, 1)
        tensor.shape([0, 1 << 62, 1 << 62])
      }
    }
    #expect(try decode(reply)["y"]?.count == 0)
  }

  @Test func `what does not fit its shape or type is refused with a reason`() {
    func float(_ shape: [Int64], _ values: (inout WireWriter) -> Void) -> String? {
      failure { tensor in
        tensor.varint(1, 1)
        tensor.shape(shape)
        values(&tensor)
      }
    }
    #expect(
      float([2]) { $0.bytes(5, Array(repeating: 0, count: 12)) }?.contains("more values") == true)
    #expect(
      float([1]) {
        $0.float(5, 1)
        $0.float(5, 2)
      }?.contains("more values") == true)
    #expect(float([2]) { _ in }?.contains("no values") == true)
    #expect(float([2]) { $0.bytes(5, [1, 2, 3]) }?.contains("part of a value") == true)
    #expect(float([2]) { $0.bytes(4, [1, 2, 3]) }?.contains("3 bytes of content") == true)
    #expect(float([-1]) { $0.float(5, 1) }?.contains("extent below 0") == true)
    #expect(float([1 << 40, 1 << 40]) { $0.float(5, 1) }?.contains("impossible size") == true)
    #expect(float([1 << 61]) { $0.float(5, 1) }?.contains("impossible size") == true)
    #expect(float([1 << 40]) { $0.float(5, 1) }?.contains("are allowed") == true)
    #expect(failure { $0.varint(1, 7) }?.contains("unsupported type") == true)
    #expect(failure { $0.varint(1, 28) }?.contains("number 28") == true)
    #expect(
      failure { tensor in
        tensor.varint(1, 1)
        tensor.message(2) { $0.varint(3, 1) }
      }?.contains("no shape") == true)
    #expect(
      failure { tensor in
        tensor.varint(1, 4)
        tensor.varint(7, 256)
      }?.contains("outside its type: 256") == true)
  }

  @Test func `headers that claim without end are refused`() {
    func reason(_ body: (inout WireWriter) -> Void) -> String? {
      do {
        _ = try decode(WireWriter.message(body))
        return nil
      } catch {
        return (error as? ShimError)?.message
      }
    }
    #expect(reason { $0.varint(11) }?.contains("impossible wire type") == true)
    #expect(reason { $0.varint(2) }?.contains("impossible field number") == true)
    #expect(
      reason {
        $0.varint(10)
        $0.varint(5)
      }?.contains("longer than its message") == true)
    #expect(
      reason {
        $0.varint(10)
        $0.varint(.max)
      }?.contains("longer than its message") == true)
    #expect(reason { $0.varint(8) }?.contains("ends inside a number") == true)
    #expect(
      reason { $0.output("y") { $0.shape(Array(repeating: 1, count: 255)) } }?.contains("rank")
        == true)
    #expect(
      reason { reply in
        for index in 0...1024 { reply.output("y\(index)") { _ in } }
      }?.contains("1024 tensors") == true)
    #expect(
      reason { reply in
        reply.message(1) { entry in for _ in 0...64 { entry.bytes(2, []) } }
      }?.contains("64 pieces") == true)
    #expect(
      reason { $0.output(String(repeating: "y", count: 5000)) { _ in } }?.contains("text") == true)
  }

  private struct Expected: Decodable {
    let shape: [Int]
    let sum: Double
    let minimum: Double
    let maximum: Double
    let firstNonzero: Int
    let values: [Double]
  }

  @Test(arguments: ["Predict_NuclearSegmentation.request", "Predict_NuclearSegmentation.reply"])
  func `recorded messages hold the tensors Python reads from them`(name: String) throws {
    let all = try JSONDecoder().decode(
      [String: [String: Expected]].self, from: Data(try fixture("expected.json")))
    let expected = try #require(all[name])
    let message = try PredictMessage(
      WireMessage(bytes: try fixture(name + ".pb")),
      kind: name.hasSuffix("request") ? TFS_PREDICT_REQUEST : TFS_PREDICT_RESPONSE)

    #expect(message.names.sorted() == expected.keys.sorted())
    #expect(String(cString: tfs_predict_model(message.handle)) == "NuclearSegmentation")
    #expect(tfs_predict_version(message.handle) == 6)
    for (index, name) in message.names.enumerated() {
      let expected = try #require(expected[name])
      var budget = Int.max
      let array = try message.array(at: index, budget: &budget)
      let values = try #require(array.typed(as: Float.self)).elements.map(Double.init)
      #expect(array.shape == expected.shape)
      #expect(abs(values.reduce(0, +) - expected.sum) < 1e-6)
      #expect(values.min() == expected.minimum)
      #expect(values.max() == expected.maximum)
      #expect(values.firstIndex { $0 != 0 } == expected.firstNonzero)
      #expect(Array(values[expected.firstNonzero...].prefix(4)) == expected.values)
    }
  }
}

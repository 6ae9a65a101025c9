import Arrays
import CTensorFlowServing
import Serving
import TestSupport
import Testing

/// 100,000 damaged replies in all, from seeds.
@Suite(.computing) struct ReplyFuzzTests {
  private static let budget = 1 << 16

  /// A small valid reply with every kind of field.
  private static let reply = WireWriter.message { reply in
    reply.output("content") { tensor in
      tensor.varint(1, 1)
      tensor.shape([2, 3])
      tensor.bytes(4, Array(repeating: 0x40, count: 24))
    }
    reply.output("floats") { tensor in
      tensor.varint(1, 1)
      tensor.shape([4])
      tensor.bytes(5, Array(repeating: 0x3f, count: 12))
      tensor.float(5, 2)
    }
    reply.output("ints") { tensor in
      tensor.varint(1, 3)
      tensor.shape([3])
      tensor.bytes(7, [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 3])
    }
    reply.output("halves") { tensor in
      tensor.varint(1, 19)
      tensor.shape([2, 1])
      tensor.bytes(13, [0x80, 0x78])
    }
    reply.message(2) { model in
      model.bytes(1, Array("model".utf8))
      model.message(2) { $0.varint(1, 6) }
    }
  }

  @Test(arguments: 0..<50)
  func `damaged replies are read within bounds or refused`(seed: Int) async throws {
    var generator = SeededGenerator(seed: seed)
    var read = 0
    for round in 0..<2000 {
      if round % 100 == 0 { await Task.yield() }  // other tests run on the same threads
      var bytes = Self.reply
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
      case 1:
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        bytes.insert(contentsOf: generator.bytes(Int.random(in: 1...12, using: &generator)), at: at)
      default:
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
          let at = Int.random(in: 0..<bytes.count, using: &generator)
          bytes[at] = UInt8.random(in: .min ... .max, using: &generator)
        }
      }
      let pieceSize = Int.random(in: 1...64, using: &generator)
      let wire = try WireMessage(bytes: bytes, pieceSize: pieceSize)
      for kind in [TFS_PREDICT_RESPONSE, TFS_PREDICT_REQUEST] {
        guard let message = try? PredictMessage(wire, kind: kind) else { continue }
        var budget = Self.budget
        for index in message.names.indices {
          guard let array = try? message.array(at: index, budget: &budget) else { continue }
          read += 1
          if array.byteCount > Self.budget { Issue.record("\(array) is over its budget") }
        }
        if budget < 0 { Issue.record("budget overdrawn by \(-budget)") }
      }
    }
    #expect(read > 0)  // some damage leaves tensors whole
  }

  @Test(arguments: 0..<20)
  func `damaged metadata is read or refused`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let reply = try fixture("GetModelMetadata_NuclearSegmentation.reply.pb")
    for _ in 0..<200 {
      var bytes = reply
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[at] = UInt8.random(in: .min ... .max, using: &generator)
      }
      do {
        _ = try ModelMetadata(reply: WireMessage(bytes: bytes))
      } catch {
        if error.message.isEmpty { Issue.record("refused without a reason") }
      }
    }
  }
}

import NIOCore
import TestSupport
import Testing

@testable import RedisClient

@Suite(.computing) struct CodecTests {
  /// Parses bytes handed over in pieces that end at the given offsets.
  private func parse(_ bytes: [UInt8], pieces: [Int] = []) throws -> [RedisValue] {
    let reader = try ReplyReader(limits: ReplyLimits())
    var values: [RedisValue] = []
    var start = 0
    for end in pieces + [bytes.count] {
      try bytes[start..<end].withUnsafeBytes { bytes in
        try reader.feed(bytes) { values.append($0) }
      }
      start = end
    }
    return values
  }

  @Test(arguments: 0..<200) func `a command reads back as its arguments`(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    let arguments = (0..<Int.random(in: 0...20, using: &random)).map { _ in
      random.bytes(Int.random(in: 0...40, using: &random))
    }
    let wire = try CommandEncoder.encode(RedisCommand("NAME", arguments: arguments))
    let values = try parse(Array(wire.readableBytesView))
    #expect(values == [.array(["NAME"] + arguments.map { .string($0) })])
  }

  @Test(arguments: 0..<200) func `replies read back however they are cut`(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    let values = (0..<5).map { _ in RedisValue.random(depth: 7, &random) }
    let bytes = values.flatMap(\.encoded)
    let cuts = (0..<Int.random(in: 0...30, using: &random)).map { _ in
      Int.random(in: 0...bytes.count, using: &random)
    }
    #expect(try parse(bytes, pieces: cuts.sorted()) == values)
  }

  @Test func `a reply may be cut at every byte`() throws {
    let value: RedisValue = [
      "text", 12, .null, [], .error("ERR no"), ["in", ["side", -5]], .string([13, 10, 36, 0]),
    ]
    let bytes = value.encoded + RedisValue.error("ERR whole").encoded + RedisValue.null.encoded
    let expected = [value, .error("ERR whole"), .null]
    for cut in 0...bytes.count {
      #expect(try parse(bytes, pieces: [cut]) == expected)
    }
    #expect(try parse(bytes, pieces: Array(0...bytes.count)) == expected)
  }

  @Test(arguments: 0..<200) func `garbage is refused or read but never crashes`(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    // Mostly correct, with some bytes exchanged for those the protocol is made of.
    var bytes = (0..<5).flatMap { _ in RedisValue.random(depth: 6, &random).encoded }
    for _ in 0..<Int.random(in: 1...10, using: &random) {
      let index = Int.random(in: bytes.indices, using: &random)
      bytes[index] = Array("*$+-:\r\n0199x\0".utf8).randomElement(using: &random) ?? 0
    }
    let cut = Int.random(in: 0...bytes.count, using: &random)
    do {
      _ = try parse(bytes, pieces: [cut])
    } catch let error as RedisError {
      #expect(error.code == .protocolViolation)
    }
  }

  @Test func `arrays nest eight deep and no deeper`() throws {
    let deepest = (0..<8).reduce(RedisValue.null) { value, _ in [value] }
    #expect(try parse(deepest.encoded) == [deepest])
    let error = #expect(throws: RedisError.self) { try parse(RedisValue.array([deepest]).encoded) }
    #expect(error?.code == .protocolViolation)
  }

  @Test func `the reader's memory is returned after a large reply`() throws {
    let reader = try ReplyReader(limits: ReplyLimits())
    let large = RedisValue.string([UInt8](repeating: 1, count: 3 << 20))
    for value in [large, "small", large, 1] {
      var values: [RedisValue] = []
      try value.encoded.withUnsafeBytes { bytes in try reader.feed(bytes) { values.append($0) } }
      #expect(values == [value])
    }
  }

  @Test func `a string of the largest size allowed passes and one more byte does not`() throws {
    let limits = ReplyLimits(bytes: 100_000, elements: 10)
    for (size, passes) in [(100_000, true), (100_001, false)] {
      let reader = try ReplyReader(limits: limits)
      let value = RedisValue.string([UInt8](repeating: 1, count: size))
      let bytes = value.encoded + RedisValue.string([UInt8](repeating: 2, count: 90_000)).encoded
      var count = 0
      let feed = { try bytes.withUnsafeBytes { try reader.feed($0) { _ in count += 1 } } }
      if passes { try feed() } else { #expect(throws: RedisError.self) { try feed() } }
      #expect(count == (passes ? 2 : 0))
    }
  }
}

extension RedisValue {
  /// A reply of any form, nested up to `depth`.
  fileprivate static func random(depth: Int, _ random: inout SeededGenerator) -> RedisValue {
    switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
    case 0: .integer(Int.random(in: .min ... .max, using: &random))
    case 1: .null
    case 2: .error("ERR \(Int.random(in: 0..<1000, using: &random))")
    case 3, 4: .string(random.bytes(Int.random(in: 0...30, using: &random)))
    default:
      .array(
        (0..<Int.random(in: 0...4, using: &random)).map { _ in
          Self.random(depth: depth - 1, &random)
        })
    }
  }

  /// The reply as a server would send it.
  fileprivate var encoded: [UInt8] {
    switch self {
    case .string(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + [13, 10]
    case .integer(let value): Array(":\(value)\r\n".utf8)
    case .array(let elements):
      Array("*\(elements.count)\r\n".utf8) + elements.flatMap(\.encoded)
    case .null: Array("$-1\r\n".utf8)
    case .error(let message): Array("-\(message)\r\n".utf8)
    }
  }
}

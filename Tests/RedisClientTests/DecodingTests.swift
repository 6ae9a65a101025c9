import RedisClient
import Testing

@Suite struct DecodingTests {
  @Test func `replies become Swift values`() throws {
    #expect(try RedisValue.string(Array("täxt".utf8)).decode(String.self) == "täxt")
    #expect(try RedisValue.integer(5).decode(String.self) == "5")
    #expect(try RedisValue("-7").decode(Int.self) == -7)
    #expect(try RedisValue("0.5").decode(Double.self) == 0.5)
    #expect(try RedisValue.integer(1).decode(Bool.self))
    #expect(try !RedisValue.integer(0).decode(Bool.self))
    #expect(try RedisValue("OK").decode(Bool.self))
    #expect(try RedisValue.null.decode(Int?.self) == nil)
    #expect(try RedisValue(3).decode(Int?.self) == 3)
    #expect(try RedisValue.string([0, 255]).decode([UInt8].self) == [0, 255])
    #expect(try RedisValue.string([]).decode([UInt8].self) == [])
    #expect(try (["a", "b"] as RedisValue).decode([String].self) == ["a", "b"])
    #expect(try (["a", .null] as RedisValue).decode([String?].self) == ["a", nil])
    #expect(
      try (["a", "1", "b", "2"] as RedisValue).decode([String: Int].self) == ["a": 1, "b": 2])
    #expect(try ([] as RedisValue).decode([String: String].self) == [:])
  }

  @Test func `a reply of another form says what was expected`() {
    let error = #expect(throws: RedisError.self) { try RedisValue("x").decode(Int.self) }
    #expect(error?.code == .unexpectedReply)
    #expect(error?.reason == "expected an integer, got a string")
    #expect(throws: RedisError.self) { try RedisValue.string([0xff]).decode(String.self) }
    #expect(throws: RedisError.self) { try RedisValue.string([]).decode([String].self) }
    #expect(throws: RedisError.self) { try (["a"] as RedisValue).decode([String: String].self) }
    #expect(throws: RedisError.self) { try RedisValue.null.decode(String.self) }
    #expect(throws: RedisError.self) { try RedisValue(2).decode(Bool.self) }
    let field = #expect(throws: RedisError.self) {
      try (["name", .string([0xff])] as RedisValue).decode([String: String].self)
    }
    #expect(field?.reason == "field name: expected text in UTF-8, got a string")
  }

  @Test func `an error among values is thrown as the server's`() {
    let error = #expect(throws: RedisError.self) { try RedisValue.error("OOM x").decode(Int.self) }
    #expect(error?.serverCode == "OOM")
    #expect(error?.isRetryable == true)
  }
}

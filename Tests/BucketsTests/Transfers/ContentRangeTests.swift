import Testing

@testable import Buckets

@Suite struct ContentRangeTests {
  @Test func `a part and the size of the whole are read`() {
    #expect(ContentRange("bytes 0-99/1000") == .part(0..<100, total: 1000))
    #expect(ContentRange("Bytes 5-5/6") == .part(5..<6, total: 6))
    #expect(ContentRange("bytes=0-0/1") == .part(0..<1, total: 1))
    #expect(ContentRange("bytes */0") == .unsatisfied(total: 0))
  }

  @Test(arguments: [
    "", "bytes", "bytes 0-99", "bytes 0-99/*", "bytes 99-0/100", "bytes 0-100/100", "bytes -1/5",
    "bytes 0-99/99999999999999999999", "bytes 0-+9/100", "items 0-9/10", "bytes 0-9/10/11",
    "bytes 9223372036854775807-9223372036854775807/9223372036854775807",
  ])
  func `anything else is not taken for one`(text: String) {
    #expect(ContentRange(text) == nil)
  }
}

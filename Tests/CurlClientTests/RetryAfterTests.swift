import CurlClient
import Testing

@Suite struct RetryAfterTests {
  @Test(
    arguments: [
      ("0", 0), ("120", 120), ("99999999999999999999", 1 << 31), ("-1", nil), ("", nil),
      ("1.5", nil), ("Sun, 06 Nov 1994 08:49:37 GMT", 37), ("Sun, 06 Nov 1994 08:48:00 GMT", 0),
      ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("Sun, 99 Nov 1994 08:49:37 GMT", nil),
      ("Sun, 06 Foo 1994 08:49:37 GMT", nil),
    ] as [(String, Int?)]) func `a wish for a pause is read in both forms`(
      text: String, seconds: Int?
    )
  {
    #expect(RetryAfter.delay(text, now: 784_111_740) == seconds.map { .seconds($0) })
  }
}

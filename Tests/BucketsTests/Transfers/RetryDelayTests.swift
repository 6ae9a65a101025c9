import Testing

@testable import Buckets

@Suite struct RetryDelayTests {
  @Test(
    arguments: [
      (0, 0, 1001), (0, 1, 2000), (3, 0, 8001), (3, 1, 9000), (6, 0, 60_000), (1000, 1, 60_000),
    ])
  func `the Python service's pauses are 2 to the n seconds and up to one more`(
    number: Int, fraction: Double, milliseconds: Int
  ) {
    #expect(
      RetryDelay.waiting(number, cap: .seconds(60), fraction: fraction)
        == .milliseconds(milliseconds))
  }

  @Test func `the first four pauses are short and grow`() {
    for number in 0..<4 {
      let longest = Duration.milliseconds(100 << number)
      #expect(RetryDelay.pause(number, cap: .seconds(60), fraction: 0) == longest / 2)
      #expect(RetryDelay.pause(number, cap: .seconds(60), fraction: 1) == longest)
    }
    #expect(RetryDelay.pause(4, cap: .seconds(60), fraction: 0) == .milliseconds(1001))
    #expect(RetryDelay.pause(3, cap: .milliseconds(200), fraction: 1) == .milliseconds(200))
    #expect(RetryDelay.pause(50, cap: .seconds(5), fraction: 0.5) == .seconds(5))
  }
}

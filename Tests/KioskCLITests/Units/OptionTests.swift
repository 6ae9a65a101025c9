import Foundation
import JobQueue
import Testing

@testable import KioskCLI

@Suite struct OptionTests {
  @Test(arguments: [
    ("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("7d", 604_800), ("1h30m", 5400),
    ("1.5h", 5400), ("0", 0), ("0.25s", 0.25),
  ])
  func `times have units, or are seconds`(text: String, seconds: Double) {
    #expect(TimeSpan(argument: text)?.duration == .seconds(seconds))
  }

  @Test(arguments: [
    "", "h", "-5", "5x", "1h30", "1e9", "nan", "inf", "9999999999d", "5 m", "٣", "1..5s", "m5",
  ])
  func `what is no time is refused`(text: String) {
    #expect(TimeSpan(argument: text) == nil)
  }

  @Test(arguments: [
    ("2026-11-22T03:00Z", "2026-11-22T03:00:00.000Z"),
    ("2026-11-22 03:00:30Z", "2026-11-22T03:00:30.000Z"),
    ("2026-11-22T03:00+01:30", "2026-11-22T01:30:00.000Z"),
    ("2026-11-22T03:00:00.25-02:00", "2026-11-22T05:00:00.250Z"),
  ])
  func `instants carry their offset`(text: String, expected: String) {
    #expect(PointInTime(argument: text)?.timestamp.producerDescription == expected)
  }

  @Test func `an instant without an offset is local time`() throws {
    let point = try #require(PointInTime(argument: "2026-07-05T03:04:05"))
    var parts = DateComponents()
    (parts.year, parts.month, parts.day) = (2026, 7, 5)
    (parts.hour, parts.minute, parts.second) = (3, 4, 5)
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .current
    let date = try #require(calendar.date(from: parts))
    #expect(point.timestamp.microseconds == Int(date.timeIntervalSince1970) * 1_000_000)
  }

  @Test(arguments: [
    "", "tomorrow", "2026-11-22", "03:00", "2026-02-30T03:00Z", "2026-13-01T03:00Z",
    "2026-11-22T25:00Z", "2026-11-22T03:00CET", "2026-11-22T03:61", "2026-11-22T03:00Zx",
  ])
  func `what is no instant is refused`(text: String) {
    #expect(PointInTime(argument: text) == nil)
  }

  @Test func `retries are a count, and pauses if need be`() {
    #expect(RetryArgument(argument: "5")?.schedule == RetrySchedule(maximumAttempts: 5))
    #expect(
      RetryArgument(argument: "3:10,30,60")?.schedule
        == RetrySchedule(
          maximumAttempts: 3, intervals: [.seconds(10), .seconds(30), .seconds(60)]))
    for text in ["", "0", "-1", "3:", "3:a", "3:1,,2", "3:1:2", "1001", ":5"] {
      #expect(RetryArgument(argument: text) == nil, "\(text)")
    }
  }
}

@Suite struct TableTests {
  private static func table() -> Table {
    var table = Table([
      .init(heading: "JOB"), .init(heading: "N", isNumber: true),
      .init(heading: "NOTE", isOptional: true),
    ])
    table.add(["a rather long key of a job", "7", ""])
    table.add(["細胞\u{1B}", "120", ""])
    return table
  }

  @Test func `columns are as wide as what is in them, without empty ones`() {
    #expect(
      Self.table().text(width: nil, ellipsis: "…") == """
        JOB                           N
        a rather long key of a job    7
        細胞\u{FFFD}                       120
        """)
  }

  @Test(arguments: 1..<40) func `no line is wider than the terminal`(width: Int) {
    let text = Self.table().text(width: width, ellipsis: "…")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 3)
    #expect(lines.allSatisfy { String($0).columns <= width })
  }
}

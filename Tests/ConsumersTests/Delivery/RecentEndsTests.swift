import Testing

@testable import Consumers
@testable import JobQueue

@Suite struct RecentEndsTests {
  private func report(_ key: String, size: Int = 0) -> EndReport {
    let job = ClaimedJob(
      job: Job(key: key, fields: [:]), token: OwnerToken(rawValue: key), statusBeforeClaim: .new,
      deliveries: 1, attempts: 0, timeLimit: nil)
    return EndReport(job, .done, ["output_url": String(repeating: "x", count: size)])
  }

  private func keys(_ ends: RecentEnds, before connection: Int) -> [String] {
    ends.entries(before: connection).map(\.report.key)
  }

  @Test func `ends are forgotten once their connection answers late enough`() {
    let ends = RecentEnds(keepingFor: .zero)
    ends.note(report("a"), .written, on: 1)
    #expect(keys(ends, before: 1).isEmpty)
    // The connection was lost since: what it answered before says nothing of the new one.
    ends.heard(on: 2)
    #expect(keys(ends, before: 2) == ["a"] && ends.endedKeys == ["a"])
    ends.heard(on: 1)
    #expect(keys(ends, before: 2).isEmpty && ends.endedKeys.isEmpty)
  }

  @Test func `ends that were sent again are kept for the next loss, those that are lost are not`() {
    let ends = RecentEnds()
    for key in ["a", "b", "c"] { ends.note(report(key), key == "c" ? .retry : .written, on: 1) }
    #expect(ends.endedKeys == ["a", "b"])
    let entries = ends.entries(before: 2)
    ends.settle(entries[0], .again, on: 2)
    ends.settle(entries[1], .lost, on: 2)
    #expect(keys(ends, before: 2) == ["c"])
    #expect(keys(ends, before: 3) == ["a", "c"])
  }

  @Test func `the newest ends are kept, within bounds`() {
    let ends = RecentEnds()
    for number in 0..<2500 { ends.note(report("job \(number)"), .written, on: 1) }
    let many = keys(ends, before: 2)
    #expect((500...1000).contains(many.count) && many.last == "job 2499")
    for number in 0..<20 { ends.note(report("large \(number)", size: 1 << 20), .written, on: 1) }
    let large = keys(ends, before: 2)
    #expect((1...4).contains(large.count) && large.last == "large 19")
  }
}

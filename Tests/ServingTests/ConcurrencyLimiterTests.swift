import Retrying
import TestSupport
import Testing

@testable import Serving

@Suite struct ConcurrencyLimiterTests {
  private let clock = JumpingClock()
  private let other = ModelName(name: "Other", version: 1)

  private func limiter(_ maximum: Int) -> ConcurrencyLimiter {
    ConcurrencyLimiter(maximum: maximum, clock: AnyClock(clock))
  }

  @Test func `the limit grows by one after as many successes as it is`() {
    let limiter = limiter(4)
    var limits: [Int] = []
    for _ in 0..<10 {
      limits.append(limiter.load(testModel).limit)
      limiter.succeeded(testModel)
    }
    #expect(limits == [2, 2, 3, 3, 3, 4, 4, 4, 4, 4])
    #expect(limiter.load(other).limit == 2)
  }

  @Test func `an overload halves the limit, at most once a second`() {
    let limiter = limiter(100)
    for _ in 0..<200 { limiter.succeeded(testModel) }
    let before = limiter.load(testModel).limit
    limiter.overloaded(testModel)
    limiter.overloaded(testModel)
    #expect(limiter.load(testModel).limit == before / 2)
    for _ in 0..<10 {
      clock.advance(by: .seconds(1))
      limiter.overloaded(testModel)
    }
    #expect(limiter.load(testModel).limit == 1)
  }

  @Test func `places are given in order, and a full model does not hold up another`() async throws {
    let limiter = limiter(8)
    let (events, recorder) = AsyncStream<String>.makeStream()
    let release = Watched(false)
    func start(_ name: String, _ model: ModelName) -> Task<Void, any Error> {
      Task {
        try await limiter.withPlace(for: model) {
          recorder.yield(name)
          try await release.wait { $0 }
        }
      }
    }
    var event = events.makeAsyncIterator()
    var tasks: [Task<Void, any Error>] = []
    for name in ["a", "b"] {
      tasks.append(start(name, testModel))
      #expect(await event.next() == name)
    }
    tasks.append(start("waits", testModel))
    tasks.append(start("other", other))
    #expect(await event.next() == "other")
    await release.update { $0 = true }
    #expect(await event.next() == "waits")
    for task in tasks { try await task.value }
    #expect(limiter.load(testModel).inFlight == 0)
  }

  @Test func `who gives up waiting takes no place`() async throws {
    let limiter = limiter(1)
    let release = Watched(false)
    let (events, recorder) = AsyncStream<Void>.makeStream()
    let holder = Task {
      try await limiter.withPlace(for: testModel) {
        recorder.yield()
        try await release.wait { $0 }
      }
    }
    for await _ in events { break }
    let waiters = (0..<100).map { _ in Task { try await limiter.withPlace(for: testModel) {} } }
    for waiter in waiters { waiter.cancel() }
    for waiter in waiters {
      await #expect(throws: CancellationError.self) { try await waiter.value }
    }
    await release.update { $0 = true }
    try await holder.value
    try await limiter.withPlace(for: testModel) {}
    #expect(limiter.load(testModel).inFlight == 0)
  }

  @Test func `models without calls are forgotten when there are too many`() {
    let limiter = limiter(4)
    for version in 0..<10_000 {
      limiter.succeeded(ModelName(name: "m", version: version))
    }
    #expect(limiter.load(ModelName(name: "m", version: 0)).limit == 2)
  }
}

import Synchronization
import TestSupport
import Testing

@testable import Buckets

@Suite struct CredentialCacheTests {
  /// Gives out the credentials 1, 2, 3 ...
  private final class Source: Sendable {
    let count = Atomic(0)
    let lifetime: Int?
    let failing = Mutex<Range<Int>>(0..<0)
    let time: TestTime
    /// What a fetch waits for.
    let gate: @Sendable () async throws -> Void

    init(
      _ time: TestTime, lifetime: Int? = 3600,
      gate: @escaping @Sendable () async throws -> Void = {}
    ) {
      self.time = time
      self.lifetime = lifetime
      self.gate = gate
    }

    var fetches: Int { count.load(ordering: .relaxed) }

    func fetch() async throws -> Expiring<Int> {
      let number = count.add(1, ordering: .relaxed).newValue
      try await gate()
      if failing.withLock({ $0.contains(number) }) {
        throw BucketError(.credentials, "failed \(number)", isRetryable: true)
      }
      return Expiring(value: number, expiration: lifetime.map { time.now + $0 })
    }
  }

  private let time = TestTime()

  private func cache(_ source: Source) -> CredentialCache<Int> {
    CredentialCache(
      logger: CredentialHarness.quiet, now: { [time] in time.now },
      fetch: { try await source.fetch() })
  }

  @Test func `many who ask at once cause one fetch`() async throws {
    let opened = Watched(false)
    let source = Source(time) { try await opened.wait { $0 } }
    let cache = cache(source)
    let values = try await withThrowingTaskGroup { group in
      for _ in 0..<1000 { group.addTask { try await cache.current() } }
      try await eventually("all wait") { cache.waiterCount == 1000 }
      await opened.update { $0 = true }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(values == Array(repeating: 1, count: 1000))
    #expect(source.fetches == 1)
  }

  @Test func `many who wait for a fetch that fails all hear why, and the next one tries again`()
    async throws
  {
    let opened = Watched(false)
    let source = Source(time) { try await opened.wait { $0 } }
    source.failing.withLock { $0 = 1..<2 }
    let cache = cache(source)
    let reasons = try await withThrowingTaskGroup { group in
      for _ in 0..<1000 {
        group.addTask {
          do { return "\(try await cache.current())" } catch { return "\(error)" }
        }
      }
      try await eventually("all wait") { cache.waiterCount == 1000 }
      await opened.update { $0 = true }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(reasons == Array(repeating: "failed 1", count: 1000))
    #expect(source.fetches == 1)
    #expect(try await cache.current() == 2)
  }

  @Test func `many who ask shortly before the end cause one fetch and do not wait for it`()
    async throws
  {
    let opened = Watched(true)
    let source = Source(time) { try await opened.wait { $0 } }
    let cache = cache(source)
    #expect(try await cache.current() == 1)
    await opened.update { $0 = false }
    time.advance(by: 3600 - 300)
    let values = try await withThrowingTaskGroup { group in
      for _ in 0..<1000 { group.addTask { try await cache.current() } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(values == Array(repeating: 1, count: 1000))
    await opened.update { $0 = true }
    try await eventually("the next is there") { try await cache.current() == 2 }
    #expect(source.fetches == 2)
  }

  @Test func `one who leaves does not end the fetch of the others`() async throws {
    let opened = Watched(false)
    let source = Source(time) { try await opened.wait { $0 } }
    let cache = cache(source)
    let first = Task { try await cache.current() }
    try await eventually("the first waits") { cache.waiterCount == 1 }
    let second = Task { try await cache.current() }
    try await eventually("both wait") { cache.waiterCount == 2 }
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    await opened.update { $0 = true }
    #expect(try await second.value == 1)
    #expect(source.fetches == 1)
  }

  @Test func `a fetch that all have left is of use to the next`() async throws {
    let opened = Watched(false)
    let source = Source(time) { try await opened.wait { $0 } }
    let cache = cache(source)
    let first = Task { try await cache.current() }
    try await eventually("it waits") { cache.waiterCount == 1 }
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    await opened.update { $0 = true }
    #expect(try await cache.current() == 1)
    #expect(source.fetches == 1)
  }

  @Test func `the next is fetched shortly before the end while the old one is used`() async throws {
    let source = Source(time)
    let cache = cache(source)
    #expect(try await cache.current() == 1)
    time.advance(by: 3600 - 361)
    #expect(try await cache.current() == 1)
    #expect(source.fetches == 1)
    time.advance(by: 61)
    #expect(try await cache.current() == 1)
    try await eventually("the next is there") { try await cache.current() == 2 }
    #expect(source.fetches == 2)
  }

  @Test func `a short life is used by half`() async throws {
    let source = Source(time, lifetime: 100)
    let cache = cache(source)
    #expect(try await cache.current() == 1)
    time.advance(by: 49)
    #expect(try await cache.current() == 1)
    #expect(source.fetches == 1)
    time.advance(by: 1)
    #expect(try await cache.current() == 1)
    try await eventually("the next is there") { try await cache.current() == 2 }
  }

  @Test func `what does not end is fetched once`() async throws {
    let source = Source(time, lifetime: nil)
    let cache = cache(source)
    #expect(try await cache.current() == 1)
    time.advance(by: 1 << 40)
    #expect(try await cache.current() == 1)
    #expect(source.fetches == 1)
  }

  @Test func `a failed renewal is no error while the old one lives`() async throws {
    let source = Source(time)
    let cache = cache(source)
    #expect(try await cache.current() == 1)
    source.failing.withLock { $0 = 2..<1000 }
    time.advance(by: 3600 - 300)
    for _ in 0..<20 { #expect(try await cache.current() == 1) }
    try await eventually("it failed") { source.fetches == 2 }
    // Not again before a pause.
    for _ in 0..<20 { #expect(try await cache.current() == 1) }
    #expect(source.fetches == 2)
    time.advance(by: 100)
    try await eventually("it failed again") {
      let value = try await cache.current()
      return value == 1 && source.fetches == 3
    }

    time.advance(by: 200)
    let error = await #expect(throws: BucketError.self) { try await cache.current() }
    #expect(error?.reason.hasPrefix("failed") == true)
    source.failing.withLock { $0 = 0..<0 }
    #expect(try await cache.current() > 3)
  }

  @Test func `a refused credential is replaced once for all who were refused`() async throws {
    let source = Source(time)
    let cache = cache(source)
    #expect(try await cache.current() == 1)
    time.advance(by: 10)
    let values = try await withThrowingTaskGroup { group in
      for _ in 0..<100 { group.addTask { try await cache.renew(insteadOf: 1) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(values == Array(repeating: 2, count: 100))
    #expect(source.fetches == 2)
    // The same again is all that the service would have.
    #expect(try await cache.renew(insteadOf: 2) == 2)
    #expect(source.fetches == 2)
    time.advance(by: 5)
    #expect(try await cache.renew(insteadOf: 2) == 3)
  }

  @Test func `a refused credential is replaced also after the clock was set back`() async throws {
    let source = Source(time)
    let cache = cache(source)
    #expect(try await cache.current() == 1)
    time.advance(by: -1800)
    #expect(try await cache.renew(insteadOf: 1) == 2)
  }

  @Test func `a refused credential that cannot be replaced is an error`() async throws {
    let source = Source(time)
    let cache = cache(source)
    #expect(try await cache.current() == 1)
    time.advance(by: 10)
    source.failing.withLock { $0 = 2..<3 }
    await #expect(throws: BucketError.self) { try await cache.renew(insteadOf: 1) }
    #expect(try await cache.current() == 1)
    #expect(try await cache.renew(insteadOf: 1) == 3)
  }
}

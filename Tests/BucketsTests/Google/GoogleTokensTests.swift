import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Buckets

@Suite struct GoogleTokensTests {
  /// Gives a token when it is told to.
  private final class Source: GoogleTokenSource {
    let name = "test"
    let fetches = Watched(0)
    private let answers = Mutex<[CheckedContinuation<GoogleToken, any Error>]>([])

    func fetch() async throws -> GoogleToken {
      try await withCheckedThrowingContinuation { answer in
        answers.withLock { $0.append(answer) }
        Task { await fetches.update { $0 += 1 } }
      }
    }

    /// Ends the fetch that has begun last.
    func end(_ result: Result<GoogleToken, any Error>) {
      answers.withLock { $0.popLast() }?.resume(with: result)
    }
  }

  private let source = Source()
  private let log = RecordedLog()

  private final class Time: Sendable {
    let seconds = Mutex(1000)
  }

  private let time = Time()

  private func tokens() -> GoogleTokens {
    GoogleTokens(source, logger: log.logger, now: { [time] in time.seconds.withLock { $0 } })
  }

  private func token(_ text: String, until end: Int) -> GoogleToken {
    GoogleToken(text: Secret(text), expiration: end)
  }

  private func pass(_ seconds: Int) { time.seconds.withLock { $0 += seconds } }

  /// Makes the first token, which ends at 4600.
  private func filled() async throws -> GoogleTokens {
    let tokens = tokens()
    async let first = tokens.token()
    try await source.fetches.wait { $0 == 1 }
    source.end(.success(token("a", until: 4600)))
    _ = try await first
    return tokens
  }

  @Test func `many callers wait for one request`() async throws {
    let tokens = tokens()
    let got = try await withThrowingTaskGroup(of: GoogleToken.self) { group in
      for _ in 0..<50 { group.addTask { try await tokens.token() } }
      try await source.fetches.wait { $0 == 1 }
      // All others have come meanwhile, or come after it and find the token.
      source.end(.success(token("a", until: 4600)))
      return try await group.reduce(into: []) { $0.append($1.text.revealed) }
    }
    #expect(got == Array(repeating: "a", count: 50))
    #expect(await source.fetches.value == 1)
  }

  @Test func `who gives up waiting leaves the request to the others`() async throws {
    let tokens = tokens()
    let impatient = Task { try await tokens.token() }
    let patient = Task { try await tokens.token() }
    try await source.fetches.wait { $0 == 1 }
    impatient.cancel()
    await #expect(throws: CancellationError.self) { try await impatient.value }
    source.end(.success(token("a", until: 4600)))
    #expect(try await patient.value.text.revealed == "a")
  }

  @Test func `a token is renewed before its end, and nobody waits for it`() async throws {
    let tokens = try await filled()
    pass(3200)
    #expect(try await tokens.token().text.revealed == "a")
    #expect(await source.fetches.value == 1)
    pass(101)
    #expect(try await tokens.token().text.revealed == "a")
    try await source.fetches.wait { $0 == 2 }
    source.end(.success(token("b", until: 9000)))
    try await eventually("the new token is in use") {
      try await tokens.token().text.revealed == "b"
    }
  }

  private struct Trouble: Error {}

  @Test func `a failed renewal is no error while the old token lives`() async throws {
    let tokens = try await filled()
    pass(3400)
    #expect(try await tokens.token().text.revealed == "a")
    try await source.fetches.wait { $0 == 2 }
    source.end(.failure(Trouble()))
    try await eventually("the failure is logged") { [log] in
      log.count { $0.contains("cannot be renewed yet") } == 1
    }
    #expect(try await tokens.token().text.revealed == "a")
    // Not at once again.
    #expect(await source.fetches.value == 2)
    pass(30)
    #expect(try await tokens.token().text.revealed == "a")
    try await source.fetches.wait { $0 == 3 }
    pass(300)
    let last = Task { try await tokens.token() }
    let failing = Task { [source] in
      while !Task.isCancelled {
        source.end(.failure(Trouble()))
        try await Task.sleep(for: .milliseconds(1))
      }
    }
    await #expect(throws: Trouble.self) { try await last.value }
    failing.cancel()
  }

  @Test func `a token that was refused is not used again`() async throws {
    let tokens = try await filled()
    await tokens.refuse(token("other", until: 4600))
    #expect(try await tokens.token().text.revealed == "a")
    await tokens.refuse(token("a", until: 4600))
    async let next = tokens.token()
    try await source.fetches.wait { $0 == 2 }
    source.end(.success(token("b", until: 4600)))
    #expect(try await next.text.revealed == "b")
  }

  @Test func `a secret is not in any description`() {
    let token = token("ya29.secret", until: 1)
    var dumped = ""
    dump(token, to: &dumped)
    for text in ["\(token)", String(reflecting: token), dumped] {
      #expect(!text.contains("ya29"))
    }
  }
}

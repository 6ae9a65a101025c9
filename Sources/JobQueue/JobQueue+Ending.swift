import RedisClient

extension JobQueue {
  /// Writes the end of a job with all that belongs to it, and takes the next ones in the same call.
  ///
  /// Safe to repeat when the reply was lost.
  /// - Parameter claiming: how many jobs to take.
  package func finish(
    _ job: ClaimedJob, _ end: JobEnd, _ fields: [String: String] = [:], claiming count: Int = 0
  ) async throws -> Ending {
    let reply = try await run(
      Scripts.finish, keys: [name, job.key],
      arguments: [job.token.rawValue, end.outcome, String(count)]
        + fields.merging(end.fields) { $1 }.flat)
    guard let parts = reply.array, let answer = parts.first else { throw unexpected(reply) }
    return try await ending(answer, delay: 0, next: parts.dropFirst(), of: reply)
  }

  /// Reports that an execution failed: by its class, and as often as it may, the job is tried again.
  ///
  /// Safe to repeat when the reply was lost; it then answers ``Ending/Outcome/lost`` for a job that is
  /// tried again.
  /// - Parameters:
  ///   - claiming: how many jobs to take.
  ///   - chance: spreads the pauses of jobs that failed together; 0...1.
  package func fail(
    _ job: ClaimedJob, _ failure: JobFailure, _ fields: [String: String] = [:],
    claiming count: Int = 0, chance: Double = .random(in: 0...1)
  ) async throws -> Ending {
    let retries = settings.retries
    let arguments: [String] = [
      job.token.rawValue, failure.kind.rawValue, String(chance), String(retries.maximumAttempts),
      retries.base.wholeMilliseconds, retries.cap.wholeMilliseconds, String(count), failure.reason,
      failure.errorCode,
    ]
    let reply = try await run(
      Scripts.fail, keys: [name, job.key], arguments: arguments + fields.flat)
    guard let parts = reply.array, parts.count >= 2, let delay = parts[1].integer else {
      throw unexpected(reply)
    }
    return try await ending(parts[0], delay: delay, next: parts.dropFirst(2), of: reply)
  }

  private func ending(
    _ answer: RedisValue, delay: Int, next: ArraySlice<RedisValue>, of reply: RedisValue
  ) async throws -> Ending {
    guard let outcome = Ending.Outcome(rawValue: answer.repairedText) else {
      throw unexpected(reply)
    }
    var claim = Claim()
    if !next.isEmpty { claim = try await self.claim(from: next, of: reply) }
    return Ending(
      outcome: outcome, retryDelay: outcome == .retry ? .milliseconds(delay) : nil, next: claim)
  }
}

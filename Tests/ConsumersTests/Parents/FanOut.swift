import Consumers
import JobQueue
import RedisClient
import TestSupport
import Testing

/// Adds the squares of 0 ..< `count`, each of which is another job's.
final class SumConsumer: Consumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    let policy = ParkingPolicy(rawValue: job["policy"] ?? "") ?? .collectAll
    guard run.isResumed else {
      return try park(Self.parts(count: job["count"].flatMap { Int($0) } ?? 0), policy)
    }
    let parts = try await children(reading: ["square"])
    if policy == .failFast, let failed = parts.first(where: { $0.failure != nil }) {
      throw JobError(
        .invalidInput, "\(failed[Field.originalName] ?? "?"): \(failed.failure ?? "?")")
    }
    try await updateKey(
      job,
      [
        "names": parts.compactMap { $0[Field.originalName] }.joined(separator: ";"),
        "failed": String(parts.filter { $0.failure != nil }.count),
        "sum": String(parts.compactMap { $0["square"].flatMap { Int($0) } }.reduce(0, +)),
        Field.totalJobs: String(parts.count),
      ])
    return .done
  }

  static func name(_ number: Int) -> String { "part, \(number).tif" }

  private static func parts(count: Int) -> [JobSubmission] {
    (0..<count).map {
      JobSubmission(
        queue: "parts", originalName: name($0), inputFileName: "",
        fields: ["number": String($0)])
    }
  }
}

/// Squares a number; refuses those that end in 7.
final class SquareConsumer: Consumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    let redis = try #require(RedisServer.connection)
    try await redis.command("INCR", "runs \(job.key)")
    let number = job["number"].flatMap { Int($0) } ?? 0
    guard number % 10 != 7 else { throw JobError(.invalidInput, "\(number) ends in 7") }
    try await updateKey(job, ["square": String(number * number)])
    return .done
  }
}

import RedisClient

/// One of a queue's jobs, with what a list of them shows.
package struct ListedJob: Sendable {
  /// Where a job is.
  package enum State: String, Sendable, CaseIterable {
    /// In the queue, the next one first.
    case waiting
    /// In the hands of a consumer.
    case processing
    /// Scheduled or to be tried again, the one due first.
    case delayed
    /// Waits for its children.
    case parked
    /// Ended well lately, the last one first.
    case done
    /// Failed for good and not run again: a dead letter, the last one first.
    case failed
    /// Ended lately because somebody wanted it so.
    case canceled

    /// Those of jobs that have not ended.
    package static let live: [State] = [.waiting, .processing, .delayed, .parked]
  }

  package let state: State
  /// Without fields if there is no such hash (any more).
  package let job: Job
  /// In the queue; 1 is next.
  package var position: Int?
  /// Who has the job in hand.
  package var worker: String?
  /// By the server's clock, in milliseconds since 1970: when a delayed job is due, since when a parked
  /// one waits, when another ended, and when the lease of one in work ends.
  package var time: Int?

  package var key: String { job.key }
  package var isExpired: Bool { job.fields.isEmpty }

  /// What a list shows of a job's hash; the rest may be long.
  static let fields = [
    Field.status, Field.originalName, Field.inputFileName, Field.progress, Field.createdAt,
    Field.updatedAt, Field.updatedBy, Field.reason, Field.errorCode, Field.lastError,
  ]

  /// Whether a text is in the key, the file's name or the error, in letters of either case.
  package func matches(_ text: String) -> Bool {
    let text = text.lowercased()
    return [key, job[Field.originalName], job[Field.reason], job[Field.lastError]]
      .contains { $0?.lowercased().contains(text) == true }
  }
}

/// Where a job was found.
struct JobPlace: Sendable {
  var key: String
  var position: Int?
  var worker: String?
  var time: Int?
}

extension JobPlace {
  /// Adds what a list shows of the jobs, in as few exchanges as are of a bearable size.
  static func read(
    _ places: [JobPlace], _ state: ListedJob.State, _ redis: RedisClient
  ) async throws -> [ListedJob] {
    let replies = try await redis.pipeline(
      places.map {
        RedisCommand("HMGET", arguments: [$0.key] + ListedJob.fields, idempotent: true)
      })
    return zip(places, replies).map { place, reply in
      // A key of another type is no job.
      var fields: [String: String] = [:]
      for (name, value) in zip(ListedJob.fields, reply.array ?? []) where !value.isNull {
        fields[name] = value.repairedText
      }
      return ListedJob(
        state: state, job: Job(key: place.key, fields: fields), position: place.position,
        worker: place.worker, time: place.time)
    }
  }
}

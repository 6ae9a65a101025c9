import RedisClient

/// Something that happened to a job, as its queue's stream tells it.
package struct JobEvent: Sendable {
  /// Milliseconds since 1970.
  package let time: Int
  package let name: String
  package let job: String
  package let worker: String?
  /// What belongs to some events, such as `progress` or `error_code`.
  package let details: [String: String]

  /// Whether the job ended with this.
  var isEnd: Bool { ["done", "failed", "canceled"].contains(name) }

  /// Reads an entry of `XRANGE`; nil when it is none.
  init?(_ entry: RedisValue) {
    guard let entry = StreamEntry(entry), let name = entry.fields["event"],
      let job = entry.fields["job"]
    else { return nil }
    time = entry.time
    self.name = name
    self.job = job
    worker = entry.fields["worker"]
    details = entry.fields.filter { !["event", "job", "worker"].contains($0.key) }
  }
}

/// An entry of a stream.
struct StreamEntry: Sendable {
  let id: String
  /// Milliseconds since 1970.
  let time: Int
  let fields: [String: String]

  /// Reads an entry of `XRANGE`; nil when it is none.
  init?(_ entry: RedisValue) {
    guard let parts = entry.array, parts.count == 2, let id = parts[0].string,
      let time = Int(id.prefix { $0 != "-" }), let values = parts[1].array
    else { return nil }
    self.id = id
    self.time = time
    fields = [String: String](repairing: values)
  }
}

import RedisClient

/// Something that happened to a job, as its queue's stream tells it.
struct JobEvent: Sendable {
  /// Milliseconds since 1970.
  let time: Int
  let name: String
  let job: String

  /// Whether the job ended with this.
  var isEnd: Bool { ["done", "failed", "canceled"].contains(name) }

  /// Reads an entry of `XRANGE`; nil when it is none.
  init?(_ entry: RedisValue) {
    guard let parts = entry.array, parts.count == 2,
      let time = parts[0].string.flatMap({ Int($0.prefix { $0 != "-" }) }),
      let values = parts[1].array
    else { return nil }
    let fields = [String: String](repairing: values)
    guard let name = fields["event"], let job = fields["job"] else { return nil }
    self.time = time
    self.name = name
    self.job = job
  }
}

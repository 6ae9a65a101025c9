import FoundationEssentials

/// A notice that a job has ended, to be sent to one URL.
struct Callback: Sendable {
  /// The same for each try, so that a receiver can drop repetitions: the job's key, a colon, how it
  /// ended.
  let id: String
  /// The id as it stands in the outbox: job keys may be of any bytes.
  let entry: [UInt8]
  /// Host and port as they stand in the URL, to count by.
  let host: String
  let url: String
  /// This one included.
  let tries: Int
  /// Bytes are the same for each try: all of it was written in the step that ended the job.
  let body: [UInt8]

  /// - Parameter fields: of its hash in the outbox.
  init(entry: [UInt8], host: String, fields: [String: String]) throws {
    self.entry = entry
    id = String(decoding: entry, as: UTF8.self)
    self.host = host
    url = fields["url"] ?? ""
    tries = fields["tries"].flatMap { Int($0) } ?? 1
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    body = Array(try encoder.encode(Notice(id, fields)))
  }
}

/// What is sent, as JSON. What is empty is left out.
private struct Notice: Encodable {
  let id: String
  let event: String?
  let job: String?
  let queue: String?
  let status: String?
  let finishedAt: String?
  let outputURL: String?
  let reason: String?
  let errorCode: String?

  private enum CodingKeys: String, CodingKey {
    case id, event, job, queue, status, reason
    case finishedAt = "finished_at"
    case outputURL = "output_url"
    case errorCode = "error_code"
  }

  init(_ id: String, _ fields: [String: String]) {
    func value(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }
    self.id = id
    event = value("event")
    job = value("job")
    queue = value("queue")
    status = value("status")
    finishedAt = value("at")
    outputURL = value("output_url")
    reason = value("reason")
    errorCode = value("error_code")
  }
}

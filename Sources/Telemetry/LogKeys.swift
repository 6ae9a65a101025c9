/// The keys of a log line in the order they are written; other metadata follows.
enum LogKeys {
  static let ordered = [
    "event", "job_id", "parent_id", "queue", "consumer_type", "host", "stage", "attempt",
    "duration_ms", "model", "model_version", "code", "bytes", "error_code", "error", "trace_id",
    "span_id",
  ]
  /// Written as numbers.
  static let numeric: Set<String> = ["attempt", "duration_ms", "bytes"]
  /// The one free text, cut at this many characters.
  static let errorLimit = 2000
}

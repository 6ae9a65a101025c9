import JobQueue

extension Job {
  /// The last line of the reason, which is a whole sentence.
  var lastReasonLine: String {
    let lines = (self[Field.reason] ?? "").split(whereSeparator: \.isNewline)
    let last = lines.last { $0.contains { !$0.isWhitespace } }
    return last.map { String($0).printable } ?? "the service gave no reason"
  }

  var percent: Int? { self[Field.progress].flatMap(Int.init).map { min(max($0, 0), 100) } }

  /// What the job is doing; `position` is that in its queue, if it waits there.
  func progress(position: Int? = nil) -> JobProgress {
    switch status {
    case .done: JobProgress(stage: .done, percent: 100)
    case .failed: JobProgress(stage: .failed, percent: percent)
    case .new: JobProgress(stage: .queued(position: position), percent: percent)
    case _ where waitsForModelServer:
      JobProgress(stage: .waitingForModelServer, percent: percent)
    default: JobProgress(stage: .working(status), percent: percent)
    }
  }

  /// Whether the consumer that has the job waits for a model server that is not there.
  private var waitsForModelServer: Bool {
    self[Field.lastError]?.hasPrefix("predict_unavailable") == true
  }

  /// Failed children of a zip job: their keys and what went wrong, in order of the keys.
  var failures: [(child: String, reason: String)] {
    (self[Field.failures] ?? "").split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let reason = parts.count > 1 ? Self.formDecoded(parts[1]) : ""
      return (Self.formDecoded(parts[0]), reason)
    }.sorted { $0.0 < $1.0 }
  }

  /// `application/x-www-form-urlencoded`
  private static func formDecoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+") {
        bytes.append(UInt8(ascii: " "))
      } else if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

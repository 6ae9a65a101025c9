import JobQueue

/// One job's hash for people.
struct StatusTable {
  let job: Job
  /// In its queue; 1 is next.
  let position: Int?
  /// Whether to show the reason of a failure as a whole.
  let isVerbose: Bool

  private var rows: [(name: String, value: String?)] {
    let progress = job.progress(position: position)
    let percent = job.percent.map { " (\($0)%)" } ?? ""
    let status = progress.stage == .queued(position: nil) ? "new" : progress.text
    return [
      ("job", job.key),
      ("file", job[Field.originalName]),
      ("status", status + percent),
      ("created", job[Field.createdAt]),
      ("changed", job[Field.updatedAt]),
      ("finished", job[Field.finishedAt]),
      ("worker", job[Field.updatedBy]),
      ("download", seconds(Field.downloadTime)),
      ("prediction", seconds(Field.predictionTime)),
      ("postprocess", seconds(Field.postprocessTime)),
      ("upload", seconds(Field.uploadTime)),
      ("total", seconds(Field.totalTime)),
      ("retries", job[Field.predictRetries]),
      ("result", job[Field.outputFileName]),
      ("url", job[Field.outputURL]),
      ("error", job.status == .failed ? job.lastReasonLine : nil),
      ("error code", job[Field.errorCode]),
      ("trace", traceID),
    ]
  }

  var text: String {
    var lines = rows.compactMap { row in
      row.value.map { row.name.fitted(to: 12, ellipsis: "") + $0.printable }
    }
    for failure in job.failures {
      let reason = Job(key: failure.child, fields: [Field.reason: failure.reason]).lastReasonLine
      lines.append("failed file " + "\(failure.child): \(reason)".printable)
    }
    if isVerbose, job.status == .failed, let reason = job[Field.reason] {
      lines += reason.split(whereSeparator: \.isNewline).map { "  " + String($0).printable }
    }
    return lines.joined(separator: "\n")
  }

  /// All fields as they are.
  var jsonLine: JSONLine {
    JSONLine(
      "job",
      [
        "job": .text(job.key), "status": .text(job.status.rawValue),
        "progress": .integer(job.percent), "position": .integer(position),
        "error": .text(job.status == .failed ? job.lastReasonLine : nil),
        "trace_id": .text(traceID),
        "fields": .object(job.fields.mapValues { .text($0) }),
      ])
  }

  /// One number, or a list of them for a zip job.
  private func seconds(_ field: String) -> String? {
    job[field].map { text in
      guard let seconds = Double(text), seconds.isFinite, seconds >= 0, seconds < 1e9 else {
        return text
      }
      return Duration.seconds(seconds).shortText
    }
  }

  /// The second part of the W3C trace context.
  private var traceID: String? {
    let parts = (job["traceparent"] ?? "").split(separator: "-")
    return parts.count == 4 && parts[1].count == 32 ? String(parts[1]) : nil
  }
}

import ArgumentParser
import JobQueue

struct DoctorCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check Redis, its queues and the bucket, and say what should be changed.",
    discussion: """
      One line for each check: ok, warn or fail. Ends with 1 when one fails, with 3 when Redis cannot be \
      reached. Changes nothing in Redis; writes, reads and removes two small objects in the bucket.

      Example: kiosk doctor --redis-host redis-sentinel:26379
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run(_ console: Console) async throws {
    try await Session.runExamination(connection) { session in
      let findings =
        try await RedisExamination(redis: session.redis, settings: session.delivery).findings()
        + (try await BucketExamination.findings(trusting: session.authorityFile) {
          try session.openExaminedBucket()
        })
      for finding in findings {
        console.result(console.isJSON ? finding.jsonLine.text : finding.text)
      }
      if findings.contains(where: { $0.level == .fail }) { throw KioskError(.jobFailed) }
    }
  }
}

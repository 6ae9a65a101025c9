import JobQueue
import Synchronization

/// Fetches results of jobs that are done and tells what was written.
struct ResultDelivery: Sendable {
  let fetcher: ResultFetcher
  let report: JobReport
  /// See ``JobExpiry``.
  let expire: Int

  /// - Parameter input: the path of the image, if it is on this machine.
  /// - Throws: `CancellationError`; whatever else goes wrong is told and counted.
  func deliver(_ job: Job, line: ProgressBoard.ID, input: String?) async throws {
    let board = report.board
    board.update(line, JobProgress(stage: .downloading))
    do {
      let result = try await fetcher.fetch(job, input: input)
      board.update(line, JobProgress(stage: .done, percent: 100))
      tell(result, of: job)
      await report.expire(job, after: expire)
      report.ledger.close(job.key, failed: !job.failures.isEmpty)
    } catch let error where !(error is CancellationError) {
      board.update(line, JobProgress(stage: .failed))
      report.tellError(of: job.key, name: job.originalName, "\(error)")
      report.ledger.close(job.key, failed: true)
    }
  }

  private func tell(_ result: FetchedResult, of job: Job) {
    let console = report.console
    let name = job.originalName.printable
    if console.isJSON {
      console.result(result.jsonLine(job: job.key, name: job.originalName).text)
    } else {
      let count = result.files.count == 1 ? "1 file" : "\(result.files.count) files"
      var lines = ["\(name): \(result.countText ?? count)"]
      let labels = result.files.count { $0.count != nil }
      for file in result.files {
        let cells = labels > 1 ? file.count.map { ": \($0.cells) cells" } ?? "" : ""
        lines.append("  \(file.path.printable)\(cells)")
      }
      console.result(lines.joined(separator: "\n"))
    }
    for remark in result.remarks { console.note("note: \(name): \(remark)") }
    if let hint = result.hint { console.note("hint: \(name): \(hint)") }
  }
}

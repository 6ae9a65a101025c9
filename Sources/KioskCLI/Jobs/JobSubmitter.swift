import Buckets
import FoundationEssentials
import JobQueue
import RedisClient
import Synchronization

/// Sends files to the bucket and makes jobs of them.
struct JobSubmitter: Sendable {
  let session: Session
  let bucket: any Bucket
  let options: JobOptions
  let delivery: DeliveryFlags
  /// How long each job may take.
  let timeout: TimeSpan?
  let console: Console
  let board: ProgressBoard
  let ledger: JobLedger

  struct Submitted: Sendable {
    let key: String
    let file: InputFile
    let line: ProgressBoard.ID
    /// Whether the job was there already, made by an earlier call with the same idempotency key.
    let isDuplicate: Bool
    /// Replicas that have the job, if some were waited for.
    let replicas: Int?

    var jsonLine: JSONLine {
      JSONLine(
        "submitted",
        [
          "job": .text(key), "file": .text(file.name), "duplicate": .flag(isDuplicate),
          "replicas": .integer(replicas),
        ])
    }
  }

  /// Submits the files, several at a time.
  ///
  /// A file that cannot be sent is told and counted as a failure; the others go on.
  /// - Throws: ``RedisError`` when jobs cannot be made; `CancellationError`.
  func submit(
    _ files: [InputFile], _ onSubmitted: @escaping @Sendable (Submitted) -> Void
  ) async throws {
    try await forEach(files.asStream, atMost: options.jobs) { file in
      let line = board.add(file.name, .uploading)
      do {
        let submitted = try await submit(file, line)
        if submitted.isDuplicate {
          console.note("note: \(file.path.printable) was submitted before")
        }
        ledger.open(submitted.key)
        onSubmitted(submitted)
      } catch let error where !(error is RedisError || error is CancellationError) {
        board.update(line, JobProgress(stage: .failed))
        console.error("\(file.path.printable): \(error)")
        ledger.noteFailure()
      }
    }
  }

  private func submit(_ file: InputFile, _ line: ProgressBoard.ID) async throws -> Submitted {
    let shown = Mutex(0)
    // A folder of its own keeps files of one name apart and their names readable.
    let destination = UploadDestination(
      prefix: options.uploadPrefix, subdirectory: RandomName.hex(digits: 32),
      visibility: .internal)
    let stored = try await bucket.upload(URL(filePath: file.path), to: destination) { bytes in
      let percent = min(100, bytes * 100 / max(file.size, 1))
      let isNew = shown.withLock { last in
        defer { last = percent }
        return last != percent
      }
      if isNew { board.update(line, JobProgress(stage: .uploading, percent: percent)) }
    }
    var submission = JobSubmission(
      queue: options.queue, originalName: file.name, inputFileName: stored.key,
      fields: options.fields)
    submission.delivery = delivery.options(
      forFileNamed: file.name, queue: options.queue, timeout: timeout)
    do {
      let made = try await submission.submission(
        to: session.redis, submitter: session.submitter, settings: session.delivery)
      if let warning = delivery.warning(of: made) { console.note("note: \(warning)") }
      let isDuplicate = made.outcome == .duplicate
      if isDuplicate { await discard(stored) }
      return Submitted(
        key: made.key, file: file, line: line, isDuplicate: isDuplicate, replicas: made.replicaCount
      )
    } catch {
      // If the job may exist after all, its input must stay.
      if (error as? RedisError)?.outcomeUnknown == false { await discard(stored) }
      throw error
    }
  }

  /// Removes an input that no job names: nobody will read it.
  private func discard(_ stored: StoredObject) async {
    if let key = try? ObjectKey(stored.key) { try? await bucket.delete(key) }
  }
}

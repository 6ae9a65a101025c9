import Arrays
import FoundationEssentials
import ImageAlgorithms
import ImageFiles
import JobQueue

/// Follows the cells of a movie: labels that stay the same from frame to frame, and who came from whom.
///
/// The frames of a TIFF stack are segmented by jobs of another queue, for which this one waits without a
/// slot (`TrackingConsumer+Frames.swift`); a track file brings its labels along. Then two models follow
/// the cells (`TrackingConsumer+Models.swift`).
///
/// - Source: the caliban consumer of kiosk-redis-consumer 0.17.2. A frame without cells, and one without
///   background, fail there.
final class TrackingConsumer: TensorFlowServingConsumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    let input = try TrackingInput(job, queue: context.queue.name)
    if let kept = try await keptResult() { return try await tell(kept, of: job) }
    let children = run.isResumed ? try await children() : []
    return try await removingPartsOnFailure {
      switch input {
      case .trackFile:
        let file = try await download(job.inputFileName)
        return try await track(stage(.decode) { try readTrackFile(file) }, children, job)
      case .stack:
        try await requireModels()
        let frames = try readStack(await download(job.inputFileName))
        if children.isEmpty { return try await segment(frames, job) }
        let unfinished = try waiting(for: children, share: Self.share) { frame in
          "frame \(frame) of \(job.originalName.forReason), counted from 0, could not be segmented"
        }
        if let unfinished { return unfinished }
        let labels = try await labels(of: children, frames: frames)
        return try await track(Movie(raw: frames, labels: labels), children, job)
      }
    }
  }

  private func track(_ movie: Movie, _ children: [ChildResult], _ job: Job) async throws
    -> JobStatus
  {
    let tracked = try await follow(movie, job)
    try await enter(.savingResults, of: job)
    var files = try saveArray(tracked.labels, name: job.originalName)
    let lineage = tracked.lineage.json
    files.append(try saveFile(Array(lineage.utf8), name: "lineage.json"))
    if context.settings.writesTrackFile {
      files.append(
        try saveTrackFile(
          raw: movie.raw, tracked: tracked.labels, lineage: lineage, name: job.originalName))
    }
    return try await deliver(files, of: job, madeFrom: children)
  }
}

/// A movie whose cells are to be followed.
struct Movie {
  /// `[frame, row, column, 1]`
  let raw: NDArray<Float>
  /// The same shape; 0 is background.
  let labels: NDArray<Int32>
}

/// What kind of file a job's input is, by its name.
enum TrackingInput {
  case stack, trackFile

  private static let endings: [(ending: String, kind: TrackingInput)] = [
    (".tif", .stack), (".tiff", .stack), (".trk", .trackFile), (".trks", .trackFile),
  ]

  init(_ job: Job, queue: String) throws {
    try job.requireImage(queue: queue)
    let name = job.inputFileName.lowercased()
    guard let kind = Self.endings.first(where: { name.hasSuffix($0.ending) })?.kind else {
      throw JobError(
        .invalidInput,
        "Invalid filetype for \"\(queue)\" job: \(job.inputFileName.forReason) is none of "
          + "\(Self.endings.map(\.ending).joined(separator: ", ")); send a TIFF stack or a track file"
      )
    }
    try job.requireResultName()
    self = kind
  }
}

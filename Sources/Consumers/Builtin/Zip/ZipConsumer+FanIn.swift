import Buckets
import FoundationEssentials
import ImageFiles
import JobQueue

extension ZipConsumer {
  /// Results fetched ahead; as many are on the disk.
  private static let downloadWidth = 4
  /// Results are copied as they are stored, whatever they would unpack to.
  private static let resultLimits = ArchiveLimits(
    members: 1_000_000, bytes: .max, expansion: .max, freeExpansion: .max)

  /// Makes one archive of the children's results, in the order of the archive they came from.
  ///
  /// All of it can be done again until the job's end is written: the children's results stay.
  func fanIn(_ children: [ChildResult], _ job: Job) async throws -> JobStatus {
    let start = ContinuousClock.now
    let archive = folder.url.appending(path: RandomName.hex(digits: 32) + ".zip")
    let failures = try await merge(children, into: archive)
    let stored = try await upload(archive)
    await intermediateObjects.remove()
    try await expireChildren()

    var fields = ChildSums(children, failures: failures).fields
    fields[Field.outputFileName] = stored.key
    fields[Field.outputURL] = stored.url
    fields[Field.cleanupTime] = (.now - start).secondsText
    try await updateKey(job, fields)
    return .done
  }

  /// - Returns: why there is no result of children, by their keys.
  private func merge(_ children: [ChildResult], into archive: URL) async throws -> [String: String]
  {
    var failures: [String: String] = [:]
    for child in children { failures[child.key] = child.failure }
    let merger = try ZipMerger(path: archive.path, name: archive.lastPathComponent)
    let place = try folder.subfolder("results")
    let results = children.filter(\.isDone).enumerated().compactMap { index, child in
      child[Field.outputFileName].map {
        Fetch(child: child, output: $0, folder: place.appending(path: String(index)))
      }
    }
    try await forEachInOrder(results, atMost: Self.downloadWidth) { [context] in
      ($0, await $0.run(context))
    } take: { fetch, result in
      run.beat()
      let child = fetch.child
      let name = child[Field.originalName] ?? child.key
      do {
        try merger.add(
          ZipReader(
            path: result.get().path, name: "the result of \(name)", limits: Self.resultLimits,
            selection: .all),
          elsewhere: name)
      } catch {
        failures[child.key] = try Self.failure(of: child, error)
      }
      try? FileManager.default.removeItem(at: fetch.folder)  // else it goes with the job's folder
    }
    try merger.finish()
    return failures
  }

  /// The result of one child.
  private struct Fetch: Sendable {
    let child: ChildResult
    /// Its key in the bucket.
    let output: String
    let folder: URL

    func run(_ context: ConsumerContext) async -> Result<URL, any Error> {
      do {
        return .success(
          try await context.bucket.download(
            context.bucket.key(named: output), into: folder,
            limit: context.settings.maximumInputBytes
          ) { _ in })
      } catch { return .failure(error) }
    }
  }

  /// What is said of a child whose result cannot be used.
  ///
  /// - Throws: `error` if it is not the result's fault, or may pass.
  private static func failure(of child: ChildResult, _ error: any Error) throws -> String {
    let failure = JobError(error)
    switch failure.code {
    case .invalidInput, .storageNotFound: return failure.reason
    default: throw error
    }
  }
}

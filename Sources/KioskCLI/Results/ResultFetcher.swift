import Arrays
import Buckets
import Executors
import FoundationEssentials
import ImageFiles
import JobQueue
import Previews

/// Brings the results of jobs from the bucket into a folder.
struct ResultFetcher: Sendable {
  let bucket: any Bucket
  let folder: ResultFolder
  let options: ResultOptions

  /// Bytes of an archive or an input image.
  private static let sizeLimit = 16 << 30

  /// Fetches one result.
  ///
  /// - Parameters:
  ///   - input: the image that was sent, if it is on this machine; else the bucket's is taken.
  ///   - progress: told percent.
  /// - Throws: ``BucketError``, `ImageFileError` for an archive that cannot be trusted, or
  ///   ``KioskError``. Nothing is written then.
  func fetch(_ job: Job, input: String?, progress: @escaping TransferProgress = { _ in })
    async throws -> FetchedResult
  {
    guard let name = job[Field.outputFileName] else {
      throw KioskError(.jobFailed, "the job is done but names no result")
    }
    let key = try bucket.key(named: name)
    let staging = try ResultFolder.makeFolder(in: folder.path)
    defer { ResultFolder.removeFolder(staging) }
    let archive = try await bucket.download(
      key, into: URL(filePath: staging, directoryHint: .isDirectory), limit: Self.sizeLimit,
      progress: progress)

    let stem = ResultFolder.fileStem(of: job)
    guard !options.keepsArchives, key.text.lowercased().hasSuffix(".zip") else {
      let ending = key.text.split(separator: "/").last?.split(separator: ".").last ?? "zip"
      let place = folder.claim(["\(stem).\(ending)"], for: job)
      return FetchedResult(files: [.init(path: try folder.move(archive.path, to: place[0]))])
    }
    // Unpacking and drawing take their time on a thread of their own.
    return try await withTaskExecutorPreference(ThreadExecutor(label: "result")) {
      try await unpack(archive.path, of: job, input: input, staging: staging)
    }
  }

  private func unpack(
    _ archive: String, of job: Job, input: String?, staging: String
  ) async throws -> FetchedResult {
    let shownName = job.originalName.printable
    let reader = try ZipReader(path: archive, name: "the result of \(shownName)")
    for member in reader.members
    where member.name.split(separator: "/").contains(where: Self.isHidden) {
      throw KioskError(
        .jobFailed,
        "the result of \(shownName) has a hidden file, \(member.name.printable), and was not unpacked"
      )
    }
    let unpacked = try ResultFolder.makeFolder(in: staging)
    var files: [(path: String, name: String, count: CellCount?)] = []
    var result = FetchedResult()
    let scratch = try ResultFolder.makeFolder(in: staging)
    let image = JobImage(of: job, bucket: bucket, temporaryFolder: scratch, localInput: input)
    var exports = ResultExports(
      of: job, image, options, folder: try ResultFolder.makeFolder(in: staging))
    var areas: [Int]?
    for member in reader.members {
      try Task.checkCancellation()
      let path = try reader.unpack(member, into: unpacked)
      guard let label = LabelFile(path: path, name: member.name) else {
        if let count = SpotFile.count(in: path, name: member.name) {
          result.spots = (result.spots ?? 0) + count
        }
        if let lineage = LineageFile(path: path, name: member.name) { result.lineage = lineage }
        files.append((path, member.name, nil))
        continue
      }
      guard let labels = try label.read() else {
        exports.noteValues(of: label)
        files.append((path, member.name, nil))
        continue
      }
      let memberAreas = CellCount.areas(of: labels)
      areas = (areas ?? []) + memberAreas
      files.append((path, member.name, CellCount(areas: memberAreas)))
      try await exports.add(labels, of: label)
    }
    try exports.finish()
    files += exports.files.map { ($0.path, $0.name, nil) }
    result.remarks = exports.remarks
    if result.lineage != nil { Self.nameLineage(in: &files) }
    let places = folder.claim(files.map(\.name), for: job)
    for (file, place) in zip(files, places) {
      result.files.append(.init(path: try folder.move(file.path, to: place), count: file.count))
    }
    result.count = areas.map { CellCount(areas: $0) }
    return result
  }

  /// Puts the lineage of a movie beside its labels, by their name: in the archive it has none, and the
  /// results of several movies may come into one folder.
  private static func nameLineage(in files: inout [(path: String, name: String, count: CellCount?)])
  {
    let images = Set(
      files.compactMap { LabelFile(path: $0.path, name: $0.name)?.imageName })
    guard let index = files.firstIndex(where: { $0.name == LineageFile.name }),
      images.count == 1, let image = images.first, !image.isEmpty
    else { return }
    files[index].name = "\(image)_\(LineageFile.name)"
  }

  private static func isHidden(_ component: Substring) -> Bool { component.hasPrefix(".") }
}

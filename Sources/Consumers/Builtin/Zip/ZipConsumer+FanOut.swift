import Buckets
import FoundationEssentials
import ImageFiles
import JobQueue

extension ZipConsumer {
  /// Uploads at a time; as many unpacked files are on the disk.
  private static let uploadWidth = 4

  /// Puts the archive's files into the bucket and makes a job of each.
  ///
  /// All that can be said against an archive by its directory is said before anything is written, and
  /// the jobs are made once all files are in the bucket: a damaged archive leaves neither.
  func fanOut(_ job: Job) async throws -> JobStatus {
    let start = ContinuousClock.now
    let archive = try await download(job.inputFileName)
    let reader = try stage(.decode) {
      try ZipReader(
        path: archive.path, name: archive.lastPathComponent, limits: context.settings.archiveLimits)
    }
    guard !reader.members.isEmpty else {
      throw JobError(
        .invalidInput,
        "\(archive.lastPathComponent.forReason) holds no images: no file in it has an ending such as "
          + ".tif or .png")
    }
    try checkCount(ofChildren: reader.members.count)
    let objects = intermediateObjects
    let keys = try reader.members.map { try objects.key(named: $0.name) }
    do {
      try await untilRedisAnswers { try await objects.announce(keys) }
      try await upload(reader, to: objects)
    } catch {
      // Of a job that is not this worker's any more, they are another's by now.
      if run.stopCause == nil, !Task.isCancelled { await objects.remove() }
      throw error
    }
    try await updateKey(job, [Field.childrenUploadTime: (.now - start).secondsText])
    return try park(
      Swift.zip(reader.members, keys).map { member, key in
        var child = JobSubmission(
          queue: imageQueue, originalName: member.name, inputFileName: key.text,
          fields: job.requestFields)
        // An archive in an archive is not opened: as a job of the images' queue it fails with a reason.
        child.isForQueueItself = true
        return child
      })
  }

  private func upload(_ reader: ZipReader, to objects: IntermediateObjects) async throws {
    let unpacked = try folder.subfolder("members")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, member) in reader.members.enumerated() {
        if index >= Self.uploadWidth { try await group.next() }
        let place = unpacked.appending(path: String(index), directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
        let file = URL(filePath: try reader.unpack(member, into: place.path))
        group.addTask { [run] in
          try await objects.upload(file, as: member.name) { _ in run.beat() }
          run.beat()
          try FileManager.default.removeItem(at: place)
        }
      }
      try await group.waitForAll()
    }
  }
}

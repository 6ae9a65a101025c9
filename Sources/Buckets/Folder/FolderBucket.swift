import CLinux
import Executors
import FoundationEssentials
import Glibc
import Logging

/// A folder on this machine as a bucket: no service and no credential.
///
/// Files appear whole or not at all: they are written under a hidden name in the same folder,
/// synchronised and renamed. A killed process leaves hidden names only, which
/// ``removeStaleUploads()`` removes once they are a day old.
public struct FolderBucket: Bucket {
  /// The folder, absolute.
  public let path: String
  private let urls: ResultURLs
  /// Whether an upload waits until the disk has it.
  let synchronizes: Bool
  private let root: ConfinedFolder
  private let logger: Logger

  private static let temporaryPrefix = ".tmp-"
  private static let temporaryLifetime = 86_400

  /// Opens the folder, and makes it if it is missing.
  ///
  /// - Parameters:
  ///   - urls: with a base URL where a gateway serves the folder; else they are `file://` URLs.
  ///   - synchronizes: whether an upload waits until the disk has it.
  /// - Throws: ``BucketError`` `localDisk` when the folder cannot be made or opened, `invalidRequest` for
  ///   a base URL that is none.
  public init(
    path: String, urls: ResultURLs = ResultURLs(), synchronizes: Bool = true,
    logger: Logger = Logger(label: "FileStorage")
  ) throws(BucketError) {
    try urls.checkBase()
    let path = URL(filePath: path, directoryHint: .isDirectory).standardized.path
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw BucketError(
        .localDisk, "cannot make the bucket's folder \(path); check STORAGE_BUCKET and its rights")
    }
    do {
      root = try ConfinedFolder(path: path)
    } catch {
      throw BucketError(
        .localDisk, "cannot open the bucket's folder \(path): \(error.text); check STORAGE_BUCKET")
    }
    self.path = path
    self.urls = urls
    self.synchronizes = synchronizes
    self.logger = logger
  }

  public func download(
    _ key: ObjectKey, into folder: URL, limit: Int, progress: @escaping TransferProgress
  ) async throws -> URL {
    try await withTaskExecutorPreference(Self.thread()) {
      try copyOut(key, into: folder, limit: limit, progress: progress)
    }
  }

  public func upload(
    _ file: URL, to destination: UploadDestination, progress: @escaping TransferProgress
  ) async throws -> StoredObject {
    let key = try destination.key(forFileNamed: file.lastPathComponent)
    try await withTaskExecutorPreference(Self.thread()) {
      try copyIn(file, as: key, progress: progress)
    }
    return StoredObject(key: key.text, url: url(for: key))
  }

  public func delete(_ key: ObjectKey) async throws {
    try await withTaskExecutorPreference(Self.thread()) {
      let (folder, name) = key.text.splitAtLastSlash
      do throws(SystemError) {
        let parent = folder.isEmpty ? root : try root.existingFolder(at: folder)
        try parent.remove(name)
        removeEmptyFolders(upFrom: folder)
      } catch  where error.number == ENOENT || error.number == ENOTDIR {
        // Removing what is not there is what was asked for.
      } catch { throw failure(error, key: key, "remove") }
    }
  }

  /// Removes folders that nothing is in any more, but for those that all objects share, such as `output`.
  private func removeEmptyFolders(upFrom path: String) {
    var (parent, name) = path.splitAtLastSlash
    while !parent.isEmpty {
      do throws(SystemError) {
        try root.existingFolder(at: parent).removeFolder(name)
      } catch { return }  // it is not empty, or gone
      (parent, name) = parent.splitAtLastSlash
    }
  }

  /// A thread for one call: jobs that move files at the same time do not wait for each other.
  private static func thread() -> ThreadExecutor { ThreadExecutor(label: "bucket") }

  public func url(for key: ObjectKey) -> String {
    let encoded = PercentEncoding.encodePath(key.text)
    if urls.form != .uri, let base = urls.baseURL { return base + "/" + encoded }
    return "file://" + PercentEncoding.encodePath(path) + (path.hasSuffix("/") ? "" : "/") + encoded
  }

  public func key(named name: String) throws(BucketError) -> ObjectKey {
    try ObjectURLs(publicBaseURL: urls.baseURL).key(named: name)
  }

  public func check() async throws {
    try await withTaskExecutorPreference(Self.thread()) {
      do throws(SystemError) { _ = try root.freeBytes() } catch {
        throw BucketError(
          .localDisk, "cannot read the bucket's folder \(path): \(error.text)", isRetryable: true)
      }
    }
  }

  public func facts() -> BucketFacts {
    guard urls.form == .presigned else { return BucketFacts() }
    return BucketFacts(warnings: [
      "STORAGE_OUTPUT_URL=presigned is not offered by a folder; results get the addresses of public."
    ])
  }

  public func close() {}

  private func copyOut(
    _ key: ObjectKey, into folder: URL, limit: Int, progress: TransferProgress
  ) throws -> URL {
    let clock = ContinuousClock()
    let start = clock.now
    let source: FileDescriptor
    var status = stat()
    do throws(SystemError) {
      source = try root.open(key.components.joined(separator: "/"), O_RDONLY | O_NONBLOCK)
      guard fstat(source.number, &status) == 0 else { throw .last }
    } catch { throw failure(error, key: key, "read") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw BucketError(
        .invalidRequest, key: key.text, "\(key) is a folder or a device, not a file, in the bucket")
    }
    let size = Int(status.st_size)
    guard size <= limit else { throw BucketError.tooLarge(key, limit: limit) }

    let target = try PartialFile(for: key, below: folder)
    try target.checkRoom(for: size)
    do {
      _ = try FileCopy.copy(
        from: source, to: target.descriptor, limit: limit, progress: progress)
    } catch let error as SystemError {
      throw target.failure(error)
    } catch is CopyLimitExceeded {
      throw BucketError.tooLarge(key, limit: limit)
    }
    let file = try target.commit()
    TransferLog(bucket: path, logger: logger).downloaded(file.path, in: clock.now - start)
    return file
  }

  private func copyIn(_ file: URL, as key: ObjectKey, progress: TransferProgress) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw BucketError(
        .localDisk, key: key.text, "cannot read \(file.lastPathComponent): \(SystemError.last.text)"
      )
    }
    let source = FileDescriptor(descriptor)
    let (subfolder, name) = key.components.joined(separator: "/").splitAtLastSlash
    let temporary = Self.temporaryPrefix + String(UInt64.random(in: .min ... .max), radix: 16)
    do {
      let folder = try root.folder(at: subfolder)
      do {
        let target = try folder.open(
          temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
        _ = try FileCopy.copy(from: source, to: target, limit: .max, progress: progress)
        if synchronizes, fsync(target.number) != 0 { throw SystemError.last }
        try folder.rename(temporary, to: name)
        if synchronizes { try folder.synchronize() }
      } catch {
        try? folder.remove(temporary)  // the first error is the one to report
        throw error
      }
    } catch let error as SystemError { throw failure(error, key: key, "write") }
    TransferLog(bucket: path, logger: logger).uploaded(file.path, in: clock.now - start)
  }

  private func failure(_ error: SystemError, key: ObjectKey, _ verb: String) -> BucketError {
    switch error.number {
    case ENOENT, ENOTDIR:
      BucketError(.notFound, key: key.text, "\(key) does not exist in the bucket; upload it first")
    case EXDEV, ELOOP:
      BucketError(
        .invalidRequest, key: key.text, "\(key) is a link that leads out of the bucket")
    case ENAMETOOLONG:
      BucketError(.invalidRequest, key: key.text, "the file name \(key) is too long")
    default:
      BucketError(
        .localDisk, key: key.text, "cannot \(verb) \(key) in the bucket: \(error.text)")
    }
  }

  /// Removes hidden files that a killed process left more than a day ago.
  ///
  /// For start-up; failing to remove one harms nothing.
  public func removeStaleUploads() async {
    await withTaskExecutorPreference(Self.thread()) {
      let now = time(nil)
      Self.forEachFile(below: path) { file, status in
        guard file.splitAtLastSlash.name.hasPrefix(Self.temporaryPrefix),
          now - status.st_mtim.tv_sec > Self.temporaryLifetime, unlink(file) == 0
        else { return }
        logger.debug("removed an unfinished upload", metadata: ["file": "\(file)"])
      }
    }
  }

  /// Walks the tree one entry at a time: a bucket may hold millions of files.
  private static func forEachFile(below path: String, _ body: (String, stat) -> Void) {
    path.withCString { start in
      var roots: [UnsafeMutablePointer<CChar>?] = [UnsafeMutablePointer(mutating: start), nil]
      guard let walk = fts_open(&roots, FTS_PHYSICAL | FTS_NOCHDIR, nil) else { return }
      defer { fts_close(walk) }
      while let entry = fts_read(walk) {
        guard CInt(entry.pointee.fts_info) == FTS_F, let status = entry.pointee.fts_statp else {
          continue
        }
        body(String(cString: entry.pointee.fts_path), status.pointee)
      }
    }
  }
}

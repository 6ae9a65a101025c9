import FoundationEssentials
import Glibc
import JobQueue
import Logging

/// Where one process keeps the files of its running jobs.
///
/// A locked file inside says that the process lives; the lock goes with the process, whatever ends
/// it, so the next start can tell which folders nobody needs any more.
package final class WorkFolder: Sendable {
  package let url: URL
  private let lock: CInt

  private static let prefix = "kiosk-work-"
  private static let lockName = ".lock"
  /// Seconds after which a folder without a lock is one whose maker died in making it.
  private static let makingTime = 60

  /// Makes the folder below `parent`, and removes those of dead processes there.
  ///
  /// - Throws: ``JobError`` `internal` when `parent` cannot be written to.
  package init(in parent: String, logger: Logger) throws {
    let parent = URL(filePath: parent, directoryHint: .isDirectory)
    Self.removeFoldersOfDeadProcesses(in: parent, logger: logger)
    // Another process that starts may take the new folder for a dead one's before it is locked.
    for _ in 0..<10 {
      let folder = parent.appending(
        path: Self.prefix + RandomName.hex(digits: 16), directoryHint: .isDirectory)
      guard mkdir(folder.path, 0o700) == 0 else {
        throw JobError(
          .internal,
          "cannot make a folder for temporary files in \(parent.path): "
            + "\(String(cString: strerror(errno))); check TMPDIR")
      }
      let lock = open(
        folder.appending(path: Self.lockName).path,
        O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
      if lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0, Self.isLock(lock, of: folder) {
        url = folder
        self.lock = lock
        return
      }
      if lock >= 0 { close(lock) }
    }
    throw JobError(
      .internal, "cannot lock a folder for temporary files in \(parent.path); check TMPDIR")
  }

  deinit {
    try? FileManager.default.removeItem(at: url)  // else the next start removes it
    close(lock)
  }

  /// A folder of one job's own, removed when the job lets go of it.
  func makeJobFolder() throws -> JobFolder { try JobFolder(in: url) }

  /// Whether the open lock is the one that stands in the folder, which may have been removed meanwhile.
  private static func isLock(_ lock: CInt, of folder: URL) -> Bool {
    var held = stat()
    var standing = stat()
    return fstat(lock, &held) == 0
      && lstat(folder.appending(path: lockName).path, &standing) == 0
      && held.st_ino == standing.st_ino && held.st_dev == standing.st_dev
  }

  private static func removeFoldersOfDeadProcesses(in parent: URL, logger: Logger) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
    for name in names where name.hasPrefix(prefix) {
      let folder = parent.appending(path: name, directoryHint: .isDirectory)
      guard let lock = lockOfDeadProcess(in: folder) else { continue }
      defer { close(lock) }
      do {
        try FileManager.default.removeItem(at: folder)
        logger.debug("removed the files of an earlier process", metadata: ["folder": "\(name)"])
      } catch {
        logger.warning(
          "cannot remove the files of an earlier process",
          metadata: ["folder": "\(name)", "error": "\(error)"])
      }
    }
  }

  /// The lock of a folder that nobody needs any more, now held; nil for any other folder.
  ///
  /// Temporary folders are open to all users of a machine: what is another's, or a link, is left alone.
  private static func lockOfDeadProcess(in folder: URL) -> CInt? {
    var status = stat()
    guard lstat(folder.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
      status.st_uid == geteuid()
    else { return nil }
    // Without O_CREAT: a folder just made by another process has no lock file for an instant.
    let lock = open(
      folder.appending(path: lockName).path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard lock >= 0 else {
      if errno == ENOENT, time(nil) - status.st_mtim.tv_sec > makingTime { rmdir(folder.path) }
      return nil
    }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      return nil
    }
    return lock
  }
}
/// The temporary files of one job; gone with everything in it when nobody holds it any more.
public final class JobFolder: Sendable {
  public let url: URL

  init(in parent: URL) throws {
    url = parent.appending(path: RandomName.hex(digits: 16), directoryHint: .isDirectory)
    guard mkdir(url.path, 0o700) == 0 else {
      throw JobError(
        .internal,
        "cannot make a folder for the job's files: \(String(cString: strerror(errno)))")
    }
  }

  deinit { try? FileManager.default.removeItem(at: url) }  // else it goes with the process's

  /// A folder in it, made if it is not there.
  func subfolder(_ name: String) throws -> URL {
    let folder = url.appending(path: name, directoryHint: .isDirectory)
    guard mkdir(folder.path, 0o700) == 0 || errno == EEXIST else {
      throw JobError(
        .internal, "cannot make a folder for the results: \(String(cString: strerror(errno)))")
    }
    return folder
  }
}

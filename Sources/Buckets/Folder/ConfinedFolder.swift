import CLinux
import Glibc

/// A folder that paths cannot leave: not by `..`, not by an absolute path, not by a link.
///
/// Names are resolved by the kernel below the open folder (`openat2`), so a link made between a
/// check and its use gains nothing. On kernels before 5.6 each component is opened by itself and no
/// link is followed at all.
struct ConfinedFolder: Sendable {
  private let folder: FileDescriptor

  init(path: String) throws(SystemError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last }
    folder = FileDescriptor(descriptor)
  }

  private init(_ folder: FileDescriptor) { self.folder = folder }

  /// Opens a path below the folder; `path` is relative and not empty.
  func open(_ path: String, _ flags: CInt, mode: mode_t = 0) throws(SystemError) -> FileDescriptor {
    let descriptor = linux_open_beneath(folder.number, path, flags, mode)
    if descriptor >= 0 { return FileDescriptor(descriptor) }
    guard errno == ENOSYS || errno == EPERM else { throw .last }
    return try openByComponent(path, flags, mode: mode)
  }

  /// Also what sandboxes need that answer EPERM to system calls they do not know.
  private func openByComponent(
    _ path: String, _ flags: CInt, mode: mode_t
  ) throws(SystemError) -> FileDescriptor {
    var components = path.split(separator: "/").filter { $0 != "." }
    guard !path.hasPrefix("/"), !components.contains("..") else {
      throw SystemError(number: EXDEV)
    }
    let last = components.popLast() ?? "."
    var current = folder
    for component in components {
      current = try Self.openChild(
        current, String(component), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, mode: 0)
    }
    return try Self.openChild(current, String(last), flags | O_NOFOLLOW, mode: mode)
  }

  private static func openChild(
    _ folder: FileDescriptor, _ name: String, _ flags: CInt, mode: mode_t
  ) throws(SystemError) -> FileDescriptor {
    let descriptor = openat(folder.number, name, flags | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw .last }
    return FileDescriptor(descriptor)
  }

  /// The folder at `path`, made with everything above it where missing.
  func folder(at path: String) throws(SystemError) -> ConfinedFolder {
    var current = self
    for component in path.split(separator: "/") where component != "." {
      let name = String(component)
      guard mkdirat(current.folder.number, name, 0o755) == 0 || errno == EEXIST else {
        throw .last
      }
      current = ConfinedFolder(try current.open(name, O_RDONLY | O_DIRECTORY))
    }
    return current
  }

  func existingFolder(at path: String) throws(SystemError) -> ConfinedFolder {
    ConfinedFolder(try open(path, O_RDONLY | O_DIRECTORY))
  }

  /// Gives a file of this folder another name in it; an existing file of that name is replaced.
  func rename(_ old: String, to new: String) throws(SystemError) {
    guard renameat(folder.number, old, folder.number, new) == 0 else { throw .last }
  }

  /// Removes a file; one that is not there is no error.
  func remove(_ name: String) throws(SystemError) {
    guard unlinkat(folder.number, name, 0) == 0 || errno == ENOENT else { throw .last }
  }

  /// Removes an empty folder of this one.
  func removeFolder(_ name: String) throws(SystemError) {
    guard unlinkat(folder.number, name, AT_REMOVEDIR) == 0 else { throw .last }
  }

  /// Makes renames in this folder survive a power cut.
  func synchronize() throws(SystemError) {
    guard fsync(folder.number) == 0 else { throw .last }
  }

  /// Bytes that can still be written to the file system.
  func freeBytes() throws(SystemError) -> Int {
    var status = statvfs()
    guard fstatvfs(folder.number, &status) == 0 else { throw .last }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}

extension String {
  /// The part before the last slash, "" without one, and the part behind it.
  var splitAtLastSlash: (folder: String, name: String) {
    guard let slash = lastIndex(of: "/") else { return ("", self) }
    return (String(self[..<slash]), String(self[index(after: slash)...]))
  }
}

import Buckets
import Glibc

/// A file to be submitted.
struct InputFile: Sendable, Equatable {
  /// As the user gave it, or found below a folder that the user gave.
  let path: String
  /// What its job calls it: the file's name, or its path below the given folder, with that folder's
  /// own name if there are several.
  let name: String
  let size: Int

  /// The files that the arguments stand for, folders' in order of their names. Tells what is left
  /// out of folders.
  ///
  /// - Throws: ``KioskError`` `usage` with a line for each argument that cannot be used: nothing is
  ///   sent if one of them is wrong.
  static func collect(
    _ paths: [String], recursive: Bool, _ console: Console
  ) throws(KioskError) -> [InputFile] {
    var files: [InputFile] = []
    var problems: [String] = []
    let hasSeveralFolders = paths.count(where: isFolder) > 1
    for path in paths {
      var status = stat()
      guard stat(path, &status) == 0 else {
        problems.append("\(path.printable): \(String(cString: strerror(errno)))")
        continue
      }
      if status.st_mode & S_IFMT == S_IFDIR {
        guard recursive else {
          problems.append("\(path.printable) is a folder; add --recursive to send its images")
          continue
        }
        var listing = FolderListing()
        // Plates have wells of the same names, whose results must be told apart.
        listing.add(path, below: hasSeveralFolders ? prefix(of: path) : "")
        problems += listing.problems
        if listing.images.isEmpty {
          problems.append("\(path.printable): no image files in this folder")
        }
        if let remark = listing.remark { console.note("note: \(path.printable): \(remark)") }
        files += listing.images
      } else {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        files.append(InputFile(path: path, name: name, size: Int(status.st_size)))
        if status.st_mode & S_IFMT != S_IFREG { problems.append("\(path.printable) is not a file") }
      }
    }
    problems += files.compactMap(\.problem)
    guard problems.isEmpty else { throw KioskError(.usage, problems.joined(separator: "\n")) }
    return files
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The folder's own name with a slash; empty where there is none, as of `..`. Without dots in
  /// front, since results with hidden folders are not unpacked.
  private static func prefix(of folder: String) -> String {
    let name = (folder.split(separator: "/").last ?? "").drop { $0 == "." }
    return name.isEmpty ? "" : "\(name)/"
  }

  private var problem: String? {
    if size == 0 { return "\(path.printable) is empty" }
    if access(path, R_OK) != 0 { return "\(path.printable): \(String(cString: strerror(errno)))" }
    do throws(BucketError) {
      _ = try ObjectKey(name)
      return nil
    } catch { return error.reason.printable }
  }
}

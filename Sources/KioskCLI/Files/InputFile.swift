import Buckets
import FoundationEssentials
import Glibc

/// A file to be submitted.
struct InputFile: Sendable, Equatable {
  /// As the user gave it, or found below a folder that the user gave.
  let path: String
  /// What its job calls it: the file's name, or its path below the given folder.
  let name: String
  let size: Int

  /// Endings taken from folders; files given by name may have any.
  static let extensions: Set<String> = [
    "tif", "tiff", "png", "jpg", "jpeg", "npy", "trk", "trks", "zip",
  ]

  /// The files that the arguments stand for, folders' in order of their names.
  ///
  /// - Throws: ``KioskError`` `usage` with a line for each argument that cannot be used: nothing is
  ///   sent if one of them is wrong.
  static func collect(_ paths: [String], recursive: Bool) throws(KioskError) -> [InputFile] {
    var files: [InputFile] = []
    var problems: [String] = []
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
        let found = images(in: path, below: "")
        if found.isEmpty { problems.append("\(path.printable): no image files in this folder") }
        files += found
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

  private var problem: String? {
    if size == 0 { return "\(path.printable) is empty" }
    if access(path, R_OK) != 0 { return "\(path.printable): \(String(cString: strerror(errno)))" }
    do throws(BucketError) {
      _ = try ObjectKey(name)
      return nil
    } catch { return error.reason.printable }
  }

  /// Links to folders are not followed: they may lead in circles.
  private static func images(in folder: String, below prefix: String) -> [InputFile] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var files: [InputFile] = []
    for name in names.sorted() where !name.hasPrefix(".") && name != "__MACOSX" {
      let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
      var link = stat()
      var status = stat()
      guard lstat(path, &link) == 0, stat(path, &status) == 0 else { continue }
      if link.st_mode & S_IFMT == S_IFDIR {
        files += images(in: path, below: prefix + name + "/")
      } else if status.st_mode & S_IFMT == S_IFREG, status.st_size > 0,
        let dot = name.lastIndex(of: "."),
        extensions.contains(name[name.index(after: dot)...].lowercased())
      {
        files.append(InputFile(path: path, name: prefix + name, size: Int(status.st_size)))
      }
    }
    return files
  }
}

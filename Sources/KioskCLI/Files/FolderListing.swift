import FoundationEssentials
import Glibc

/// The images below a folder, and what else is there.
struct FolderListing {
  /// Endings taken from folders; files given by name may have any.
  private static let extensions: Set<String> = [
    "tif", "tiff", "png", "jpg", "jpeg", "npy", "trk", "trks", "zip",
  ]

  /// In order of their names.
  private(set) var images: [InputFile] = []
  /// Folders that cannot be read, a line each.
  private(set) var problems: [String] = []
  private var skipped = 0
  private var firstSkipped = ""

  /// What was left out, for the user; nil for nothing.
  var remark: String? {
    guard skipped > 0 else { return nil }
    let first = firstSkipped.printable
    return skipped == 1
      ? "left out \(first), which is hidden, empty or no image"
      : "left out \(skipped) files that are hidden, empty or no images, such as \(first)"
  }

  /// Adds what a folder holds.
  ///
  /// Links to folders are not followed: they may lead in circles.
  ///
  /// - Parameter prefix: what the names of its images begin with.
  mutating func add(_ folder: String, below prefix: String) {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
      problems.append("\(folder.printable): the folder cannot be read")
      return
    }
    for name in names.sorted() {
      let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
      let isHidden = name.hasPrefix(".") || name == "__MACOSX"
      var link = stat()
      var status = stat()
      if !isHidden, lstat(path, &link) == 0, link.st_mode & S_IFMT == S_IFDIR {
        add(path, below: prefix + name + "/")
      } else if !isHidden, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
        status.st_size > 0, let dot = name.lastIndex(of: "."),
        Self.extensions.contains(name[name.index(after: dot)...].lowercased())
      {
        images.append(InputFile(path: path, name: prefix + name, size: Int(status.st_size)))
      } else {
        if skipped == 0 { firstSkipped = prefix + name }
        skipped += 1
      }
    }
  }
}

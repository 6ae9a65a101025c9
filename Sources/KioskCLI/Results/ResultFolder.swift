import FoundationEssentials
import Glibc
import JobQueue
import Synchronization

/// The folder that results go to.
///
/// A file of an earlier call is replaced. Files that this call reads or has written are not: results
/// that would collide go into a folder of their own.
final class ResultFolder: Sendable {
  let path: String
  private let taken: Mutex<Set<String>>

  /// Makes the folder where missing.
  ///
  /// - Parameter inputs: paths of files that must stay.
  init(_ path: String, inputs: [String] = []) throws(KioskError) {
    self.path = path
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch { throw KioskError(.usage, "cannot make the folder \(path.printable)") }
    guard access(path, W_OK | X_OK) == 0 else {
      throw KioskError(.usage, "\(path.printable): \(String(cString: strerror(errno)))")
    }
    taken = Mutex(Set(inputs.map(Self.resolved)))
  }

  /// The name in the user's words: without `./` in front.
  func shown(_ name: String) -> String {
    path == "." ? name : path.hasSuffix("/") ? path + name : "\(path)/\(name)"
  }

  /// A new folder for files that are not finished. Inside the folder of the results, so that
  /// finished files can be moved in one step.
  static func makeFolder(in parent: String) throws(KioskError) -> String {
    var template = Array("\(parent)/.kiosk-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw KioskError(.jobFailed, "\(parent.printable): \(String(cString: strerror(errno)))")
    }
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  static func removeFolder(_ folder: String) {
    // What cannot be removed is hidden and harmless.
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Reserves places for files.
  ///
  /// - Returns: the names below this folder, in the same order.
  func claim(_ names: [String], for job: Job) -> [String] {
    taken.withLock { taken in
      func paths(_ names: [String]) -> [String] { names.map { Self.resolved("\(path)/\($0)") } }
      var result = names
      if !taken.isDisjoint(with: paths(names)) {
        let folder = "\(Self.fileStem(of: job))-\(job.key.suffix(8))"
        result = names.map { "\(folder.replacing("/", with: "_"))/\($0)" }
      }
      taken.formUnion(paths(result))
      return result
    }
  }

  /// Moves a file to its place in one step.
  func move(_ file: String, to name: String) throws(KioskError) -> String {
    let target = "\(path)/\(name)"
    if let slash = name.lastIndex(of: "/") {
      try? FileManager.default.createDirectory(
        atPath: "\(path)/\(name[..<slash])", withIntermediateDirectories: true)
    }
    guard rename(file, target) == 0 else {
      throw KioskError(
        .jobFailed, "cannot write \(target.printable): \(String(cString: strerror(errno)))")
    }
    return shown(name)
  }

  /// The image's name without folders and ending, usable as a file's name.
  static func fileStem(of job: Job) -> String {
    let name = job.originalName.split(separator: "/").last.map(String.init) ?? ""
    let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    let clean = stem.printable.drop { $0 == "." }
    return clean.isEmpty ? "result" : String(clean.prefix(60))
  }

  /// The path with its folder's links followed, so that two ways to one file are equal.
  private static func resolved(_ path: String) -> String {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[..<$0]) } ?? "."
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    guard let real = realpath(folder.isEmpty ? "/" : folder, nil) else { return path }
    defer { free(real) }
    return String(cString: real) + "/" + name
  }
}

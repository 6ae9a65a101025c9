import Arrays
import FoundationEssentials
import ImageFiles

/// An archive of images, found by the names that results have.
struct ImageArchive {
  private let reader: ZipReader
  /// By name without ending, and by whole name: where two images differ in their endings only, the
  /// results of the second are in a folder called like it.
  private var members: [String: ZipReader.Member] = [:]

  init(path: String, name: String) throws {
    reader = try ZipReader(path: path, name: name.printable)
    for member in reader.members {
      let name = member.name
      let start = name.lastIndex(of: "/").map(name.index(after:)) ?? name.startIndex
      let stem = name[start...].lastIndex(of: ".").map { String(name[..<$0]) } ?? name
      if members[stem] == nil { members[stem] = member }
      members[name] = member
    }
  }

  /// - Parameter name: with folders, without ending.
  func image(
    called name: String, limits: DecodingLimits, temporaryFolder: String
  ) throws -> AnyNDArray {
    let folder = name.lastIndex(of: "/").map { String(name[..<$0]) }
    guard let member = members[name] ?? folder.flatMap({ members[$0] }) else {
      throw KioskError(.jobFailed, "the archive that was sent has no image \(name.printable)")
    }
    let place = try ResultFolder.makeFolder(in: temporaryFolder)
    defer { ResultFolder.removeFolder(place) }
    let path = try reader.unpack(member, into: place)
    return try ImageFile.decode(contentsOf: path, name: member.name, limits: limits).pixels
  }
}

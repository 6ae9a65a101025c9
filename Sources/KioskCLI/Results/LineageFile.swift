import FoundationEssentials
import Glibc

/// The file `lineage.json` of a movie's result: its tracks, and which came from which.
struct LineageFile {
  let tracks: Int
  let divisions: Int

  static let name = "lineage.json"

  /// Bytes of a file that is read at all.
  private static let sizeLimit = 256 << 20

  private struct Track: Decodable { let daughters: [Int] }

  /// Nil for files of other kinds.
  init?(path: String, name: String) {
    var status = stat()
    guard name == Self.name, stat(path, &status) == 0, status.st_size <= Self.sizeLimit,
      let data = try? Data(contentsOf: URL(filePath: path)),
      let tracks = try? JSONDecoder().decode([String: Track].self, from: data)
    else { return nil }
    self.tracks = tracks.count
    divisions = tracks.values.count { !$0.daughters.isEmpty }
  }
}

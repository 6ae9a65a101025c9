import FoundationEssentials
import ImageFiles

/// Files of a result that list spots: `<name>_<frame>.npy`, or as a table `<name>_<frame>.csv`.
enum SpotFile {
  /// How many spots a file lists; nil for files of other kinds.
  static func count(in path: String, name: String) -> Int? {
    if name.wholeMatch(of: /.*_[0-9]{1,6}\.npy/) != nil {
      guard let spots = try? ImageFile.decode(contentsOf: path, name: name).pixels,
        spots.dtype == .float64, spots.rank == 2, spots.shape[1] == 2
      else { return nil }
      return spots.shape[0]
    }
    guard name.wholeMatch(of: /.*_[0-9]{1,6}\.csv/) != nil,
      let table = try? String(contentsOfFile: path, encoding: .utf8), table.hasPrefix("x,y")
    else { return nil }
    return table.utf8.count { $0 == UInt8(ascii: "\n") } - 1
  }
}

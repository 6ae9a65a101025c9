import Arrays

/// A movie with the labels of its cells: a tar archive of NumPy arrays, `.trk` or `.trks`.
///
/// - Source: the files of deepcell-tracking 0.6.5, `save_trk` and `load_trks`.
public struct TrackFile: Sendable {
  /// `raw.npy`: the movie, `[frame, row, column, channel]`; a `.trks` file has several, which makes
  /// one more axis in front.
  public let raw: AnyNDArray
  /// `tracked.npy`: labels, axes as of ``raw``.
  public let tracked: AnyNDArray

  private static let rawName = "raw.npy"
  private static let trackedName = "tracked.npy"
  /// Of a file with one movie.
  private static let lineageName = "lineage.json"

  /// Reads a file, plain or compressed by gzip. What is in it beside the arrays is not looked at.
  ///
  /// - Parameters:
  ///   - name: what its sender calls it, for messages.
  ///   - limits: for each of the arrays, checked before memory is taken.
  /// - Throws: ``ImageFileError`` when it is none, an array is missing or in it twice, or a limit is
  ///   exceeded.
  public static func read(
    contentsOf path: String, name: String, limits: DecodingLimits = .generous
  ) throws(ImageFileError) -> TrackFile {
    try read(try ByteSource(path: path, name: name), limits: limits)
  }

  static func read(
    _ source: ByteSource, limits: DecodingLimits
  ) throws(ImageFileError) -> TrackFile {
    guard source.size > 0 else {
      throw ImageFileError(
        .damaged, file: source.name, "is empty (0 bytes)", advice: "send it again")
    }
    let isPacked = GzipStream.recognizes(source.prefix(2))
    let archive = TarReader(isPacked ? try GzipStream(source) : source)
    var arrays: [String: AnyNDArray] = [:]
    while let member = try archive.next() {
      guard [rawName, trackedName].contains(member.name) else { continue }
      guard arrays[member.name] == nil else {
        throw ImageFileError(
          .damaged, file: source.name, "has \(member.name) in it twice", advice: "pack it again")
      }
      arrays[member.name] = try array(member, in: archive, limits)
    }
    func required(_ member: String) throws(ImageFileError) -> AnyNDArray {
      if let array = arrays[member] { return array }
      throw ImageFileError(
        .damaged, file: source.name, "has no \(member) in it",
        advice: "a track file holds raw.npy, tracked.npy and lineage.json")
    }
    return TrackFile(raw: try required(rawName), tracked: try required(trackedName))
  }

  private static func array(
    _ member: TarReader.Member, in archive: TarReader, _ limits: DecodingLimits
  ) throws(ImageFileError) -> AnyNDArray {
    do {
      return try NPYDecoder.decode(archive, size: member.size, limits: limits).pixels
    } catch {
      if error.code == .cancelled { throw error }
      throw ImageFileError(
        error.code, file: error.file, "has a member, \(member.name), that \(error.reason)",
        advice: error.advice)
    }
  }

  /// Writes a file of one movie as `<name>.trk`, which Python's readers open.
  ///
  /// - Parameters:
  ///   - raw: `[frame, row, column, channel]`.
  ///   - tracked: labels, the same axes.
  ///   - lineage: a JSON object of the tracks by their labels.
  ///   - name: may begin with folders, which are created.
  ///   - folder: exists; nothing is written outside of it.
  /// - Returns: the path of the file.
  /// - Throws: ``ImageFileError`` when it cannot be written.
  public static func write(
    raw: AnyNDArray, tracked: AnyNDArray, lineage: String, name: String, in folder: String
  ) throws(ImageFileError) -> String {
    let file = try FolderFile(creating: name + ".trk", in: folder)
    let text = Array(lineage.utf8)
    try file.write(TarHeader(name: lineageName, size: text.count).encoded)
    try file.write(text)
    try pad(file, after: text.count)
    for (name, array) in [(rawName, raw), (trackedName, tracked)] {
      let header = NPYHeader(
        dtype: array.dtype, isBigEndian: isBigEndianMachine, shape: array.shape
      ).encoded
      try file.write(TarHeader(name: name, size: header.count + array.byteCount).encoded)
      try file.write(header)
      try array.withUnsafeBytes { (bytes) throws(ImageFileError) in try file.write(bytes) }
      try pad(file, after: header.count + array.byteCount)
    }
    // The end of an archive.
    try file.write([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
    return file.finish()
  }

  private static func pad(_ file: borrowing FolderFile, after size: Int) throws(ImageFileError) {
    let block = TarHeader.blockSize
    try file.write([UInt8](repeating: 0, count: (block - size % block) % block))
  }
}

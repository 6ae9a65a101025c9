import Foundation
import ImageFiles

/// What a decoder should not have done.
struct CorruptionFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Decodes corrupted files of one format, one after the other.
struct CorruptionRun {
  private let format: Format
  private let corruptor: Corruptor
  private let folder: URL

  /// Low, so that a decoder that believes a lying header shows.
  private static let limits = DecodingLimits(
    width: 2048, height: 2048, frames: 32, channels: 16, bytes: 1 << 18, freeExpansion: 1 << 18)
  private static let archiveLimits = ArchiveLimits(
    members: 20, bytes: 1 << 18, freeExpansion: 1 << 18)

  init(format: Format) throws {
    self.format = format
    corruptor = try Corruptor(format: format)
    folder = FileManager.default.temporaryDirectory.appending(path: "corruption-\(UUID())")
  }

  /// - Throws: ``CorruptionFailure`` that names the seed, when a file was neither refused with a
  ///   proper message nor decoded within the limits, or when something leaked.
  func summary(seeds: Range<Int>) throws -> String {
    try FileManager.default.createDirectory(
      at: folder.appending(path: "members"), withIntermediateDirectories: true)
    // What is left there is in the system's temporary folder.
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "file").path
    let watch = Watch(format: format)
    let warmUp = seeds.prefix(max(seeds.count / 5, 1))
    var usage = Usage()
    var decoded = 0
    for seed in seeds {
      watch.begin(seed)
      let bytes = corruptor.file(seed: seed)
      do {
        if format == .zip {
          try unpack(bytes, path, seed)
        } else {
          try decode(bytes, path, seed)
        }
        decoded += 1
      } catch let error as ImageFileError {
        guard error.description.hasPrefix("sent."), error.description.utf8.count < 1000 else {
          throw CorruptionFailure("seed \(seed): \(error)")
        }
      }
      if seed == warmUp.last { usage = Usage() }
    }
    watch.end()
    let growth = Usage().growth(since: usage)
    guard decoded > 0, decoded < seeds.count || seeds.count == 1 else {
      throw CorruptionFailure("\(decoded) of \(seeds.count) files were decoded: nothing was tested")
    }
    let summary =
      "\(format.rawValue): \(seeds.count) corrupted files, \(decoded) decoded, the others refused; "
      + growth.description
    guard growth.isHarmless else { throw CorruptionFailure("leak: \(summary)") }
    return summary
  }

  private func decode(_ bytes: [UInt8], _ path: String, _ seed: Int) throws {
    let name = format == .tiff || format == .bigtiff ? "sent.tif" : "sent.png"
    // A TIFF is read by two readers; files come from memory and from disk.
    let isPicture = seed % 8 == 0
    let image =
      if seed % 4 == 1 {
        try fromDisk(bytes, path, name: name)
      } else {
        try ImageFile.decode(bytes, name: isPicture ? "sent.png" : name, limits: Self.limits)
      }
    guard image.pixels.byteCount <= Self.limits.bytes else {
      throw CorruptionFailure("seed \(seed): decoded to \(image.pixels.byteCount) bytes")
    }
    // What new memory holds has changed: pixels that nothing was decoded into would too.
    Memory.fill(with: seed)
    let again = try ImageFile.decode(
      bytes, name: isPicture ? "sent.png" : name, limits: Self.limits)
    let isSame = image.pixels.withUnsafeBytes { first in
      again.pixels.withUnsafeBytes { second -> Bool in
        guard let one = first.baseAddress, let other = second.baseAddress else { return true }
        return first.count == second.count && memcmp(one, other, first.count) == 0
      }
    }
    guard isSame else {
      throw CorruptionFailure("seed \(seed): memory that was not written to became pixels")
    }
  }

  private func fromDisk(_ bytes: [UInt8], _ path: String, name: String) throws -> DecodedImage {
    try write(bytes, to: path)
    return try ImageFile.decode(contentsOf: path, name: name, limits: Self.limits)
  }

  /// Writes a new file: many file systems wait for the disk when one that was cut to nothing is closed.
  private func write(_ bytes: [UInt8], to path: String) throws {
    unlink(path)
    try Data(bytes).write(to: URL(filePath: path))
  }

  private func unpack(_ bytes: [UInt8], _ path: String, _ seed: Int) throws {
    try write(bytes, to: path)
    let reader = try ZipReader(path: path, name: "sent.zip", limits: Self.archiveLimits)
    var total = 0
    for member in reader.members {
      total += try reader.bytes(of: member, limit: Self.archiveLimits.bytes).count
      // Creating files takes longer than everything else.
      guard seed % 4 == 0 else { continue }
      let file = try reader.unpack(member, into: folder.appending(path: "members").path)
      guard file.hasPrefix(folder.path + "/members/"), !file.contains("/../") else {
        throw CorruptionFailure("seed \(seed): a member was unpacked as \(file)")
      }
      unlink(file)
    }
    guard total <= Self.archiveLimits.bytes else {
      throw CorruptionFailure("seed \(seed): unpacked \(total) bytes")
    }
  }
}

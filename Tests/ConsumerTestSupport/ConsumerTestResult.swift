import Arrays
import Foundation
import ImageFiles
import JobQueue

/// How a job ended, and what it left behind.
public struct ConsumerTestResult: Sendable, CustomStringConvertible {
  /// All fields of the job's hash.
  public let fields: [String: String]
  /// Each value that its `status` had, in order: `new`, `started`, ..., `done`.
  public let statuses: [JobStatus]
  /// What was uploaded as `output_file_name`, by name: the members of a zip archive, or the one file.
  public let files: [String: [UInt8]]
  /// Those of the files that are images, decoded; axes as ``TensorFlowServingConsumer/decode(_:)``
  /// gives them.
  public let images: [String: NDArray<Float>]
  /// Temporary files that the job did not remove.
  public let leftovers: [String]
  /// What was logged.
  public let log: String

  public var status: JobStatus { JobStatus(rawValue: fields[Field.status] ?? "") }
  /// Why it failed; nil if it did not.
  public var reason: String? { fields[Field.reason] }

  /// For the message of an expectation.
  public var description: String {
    let reason = reason.map { ", \($0)" } ?? ""
    return "job \(status)\(reason); statuses \(statuses); files \(files.keys.sorted())\n\(log)"
  }

  /// The files of a result at `path`.
  static func unpack(_ path: String, name: String) throws -> [String: [UInt8]] {
    guard name.lowercased().hasSuffix(".zip") else {
      return [name: try [UInt8](contentsOf: path)]
    }
    let archive = try ZipReader(path: path, name: name)
    var files: [String: [UInt8]] = [:]
    for member in archive.members {
      files[member.name] = try archive.bytes(of: member, limit: member.size)
    }
    return files
  }

  static func decode(_ files: [String: [UInt8]]) throws -> [String: NDArray<Float>] {
    let endings = [".tif", ".tiff", ".png", ".jpg", ".jpeg", ".npy"]
    var images: [String: NDArray<Float>] = [:]
    for (name, bytes) in files where endings.contains(where: name.lowercased().hasSuffix) {
      images[name] = try ImageFile.decode(bytes, name: name).pixels.asFloat
    }
    return images
  }
}

extension [UInt8] {
  fileprivate init(contentsOf path: String) throws {
    self = Array(try Data(contentsOf: URL(filePath: path)))
  }
}

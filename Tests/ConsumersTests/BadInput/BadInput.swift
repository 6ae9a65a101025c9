import Arrays
import Consumers
import Foundation
import ImageFiles
import ModelServing
import RedisClient
import Serving
import TestSupport
import Testing

/// One way in which a job can be bad, and how it has to end.
struct BadInput: Sendable, CustomTestStringConvertible {
  var kind = JobKind.image
  /// What is wrong, as the table of all messages says it.
  let name: String
  let code: JobError.Code
  /// What the last line of the `reason` must contain.
  let words: [String]
  var job = JobFields()
  /// What lies in the bucket at ``inputKey``; nil for nothing.
  var input = Input.good
  /// What else is wrong with the bucket.
  var prepare: @Sendable (_ bucket: TemporaryFolder) throws -> Void = { _ in }
  /// The server of the model for cytoplasm, which the job uses then.
  var peer: HostilePeer?
  var settings: @Sendable (inout ConsumerSettings) -> Void = { _ in }
  var serving: @Sendable (inout ServingConfiguration) -> Void = { _ in }

  enum Input: Sendable {
    /// The image that the kind of job is made for.
    case good
    case none
    case bytes(@Sendable () throws -> [UInt8])
  }

  static let inputKey = "uploads/bad.tif"

  var testDescription: String { "\(kind.type): \(name)" }

  func inputBytes() throws -> [UInt8]? {
    switch input {
    case .good: try kind.tiff
    case .none: nil
    case .bytes(let make): try make()
    }
  }

  /// The same for another consumer.
  func of(_ kind: JobKind) -> BadInput {
    var copy = self
    copy.kind = kind
    return copy
  }

  /// A job whose fields are bad, on a good image.
  static func fields(
    _ name: String, _ fields: [String: String], _ code: JobError.Code = .invalidInput,
    _ words: String...
  ) -> BadInput {
    BadInput(name: name, code: code, words: words, job: JobFields(fields))
  }

  /// A job whose image is bad.
  ///
  /// - Parameter file: its name, by whose ending it is read.
  static func image(
    _ name: String, file: String = "bad.tif", fields: [String: String] = [:], _ words: String...,
    input: @escaping @Sendable () throws -> [UInt8]
  ) -> BadInput {
    let key = "uploads/" + file
    let names = ["input_file_name": key, "original_name": file]
    return BadInput(
      name: name, code: .invalidInput, words: words, job: JobFields(fields.merging(names) { $1 }),
      input: .bytes(input))
  }

  /// A good job for a model server that is none.
  static func model(
    _ name: String, _ code: JobError.Code, _ words: String..., peer: HostilePeer,
    serving: @escaping @Sendable (inout ServingConfiguration) -> Void = { _ in }
  ) -> BadInput {
    BadInput(
      name: name, code: code, words: words, job: JobFields(["channels": ",0"]), peer: peer,
      serving: serving)
  }

  static let all = ofImage + ofMesmer + ofSpot

  private static let ofImage = jobs + keys + images + models(.image)
}

/// The fields of a job as a producer writes them, and what is different.
struct JobFields: Sendable {
  private(set) var fields: [String: [UInt8]]

  /// - Parameter changes: other values than those of a good job.
  init(_ changes: [String: String] = [:]) {
    let usual = [
      "original_name": "bad.tif", "input_file_name": BadInput.inputKey, "status": "new",
      "created_at": "2026-11-21T01:39:49.647Z", "updated_at": "2026-11-21T01:39:49.647Z",
      "dimension_order": "", "channels": "", "scale": "", "label": "", "model_name": "",
      "model_version": "", "identity_upload": "test",
    ]
    fields = usual.merging(changes) { $1 }.mapValues { Array($0.utf8) }
  }

  func without(_ names: String...) -> JobFields {
    var copy = self
    for name in names { copy.fields[name] = nil }
    return copy
  }

  /// With a value that need not be text.
  func with(_ name: String, _ bytes: [UInt8]) -> JobFields {
    var copy = self
    copy.fields[name] = bytes
    return copy
  }

  /// What names the job's input.
  var inputKey: String { String(decoding: fields["input_file_name"] ?? [], as: UTF8.self) }

  /// Makes the hash and puts it into a queue.
  func submit(_ key: [UInt8], to queue: String, _ redis: RedisClient) async throws {
    let pairs = fields.flatMap { [Array($0.key.utf8), $0.value] }
    try await redis.send(RedisCommand("HSET", arguments: [key] + pairs))
    try await redis.command("LPUSH", queue, key)
  }
}

/// Images for jobs.
enum TestImage {
  /// ``cells`` and what is around them: nuclei and membranes, `[2, 48, 56]`.
  static let pair = NDArray<Float>(
    shape: [2, 48, 56],
    elements: cells.elements + cells.elements.map { $0 == 0.9 ? $0 : $0 / 2 })

  /// A few bright discs on dark ground: `[48, 56]`, in 0...1.
  static let cells = NDArray<Float>(uninitialized: [48, 56]) { pixels in
    let centres = [(10, 10), (30, 20), (20, 44), (40, 45)]
    for i in pixels.indices {
      let (row, column) = (i / 56, i % 56)
      let isInside = centres.contains { centre in
        let (dy, dx) = (row - centre.0, column - centre.1)
        return dy * dy + dx * dx <= 30
      }
      pixels[i] = isInside ? 0.9 : 0.05 + Float(i % 7) / 100
    }
  }

  /// A TIFF file of floating point pixels, `[row, column]` or `[frame, row, column]`.
  static func tiff(_ pixels: NDArray<Float>) throws -> [UInt8] {
    let last = pixels.rank == 2 ? pixels : pixels.expandingDimensions(at: pixels.rank)
    return try LabelFiles.encode(AnyNDArray(last), channel: 0)
  }

  /// ``cells`` with other values in some places.
  static func cells(with values: [Int: Float]) -> NDArray<Float> {
    var elements = cells.elements
    for (index, value) in values { elements[index] = value }
    return NDArray(shape: cells.shape, elements: elements)
  }
}

import CurlClient
import FoundationEssentials

/// A body of the type `multipart/related` (RFC 2387): the description of an object, then its bytes.
struct RelatedBody: HTTPBodySource {
  let contentType: String
  private let head: HTTPBytes
  private let file: FileRange
  private let tail: HTTPBytes

  /// - Throws: ``BucketError`` `invalidRequest` for a content type that would break out of its line.
  init(_ description: ObjectDescription, _ file: UploadFile, meter: TransferMeter) throws {
    guard description.contentType.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else {
      throw BucketError(
        .invalidRequest, key: description.name,
        "the content type of \(description.name) has characters that cannot be sent")
    }
    // Long enough not to occur in any file.
    let boundary = (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }
      .joined()
    contentType = "multipart/related; boundary=\(boundary)"
    let start =
      "--\(boundary)\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
      + String(decoding: try description.json, as: UTF8.self)
      + "\r\n--\(boundary)\r\nContent-Type: \(description.contentType)\r\n\r\n"
    head = HTTPBytes(Array(start.utf8))
    self.file = FileRange(file.descriptor, 0..<file.size, meter: meter)
    tail = HTTPBytes(Array("\r\n--\(boundary)--\r\n".utf8))
  }

  var length: Int64? { pieces.reduce(0) { $0 + ($1.length ?? 0) } }

  private var pieces: [any HTTPBodySource] { [head, file, tail] }

  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var start: Int64 = 0
    for piece in pieces {
      let length = piece.length ?? 0
      if offset < start + length { return try piece.read(at: offset - start, into: buffer) }
      start += length
    }
    return 0
  }
}

/// What an object is to be, as the store takes it.
struct ObjectDescription: Sendable, Encodable {
  let name: String
  let contentType: String
  /// The store compares it with what arrives.
  let crc32c: String

  var json: [UInt8] {
    get throws { try Array(JSONEncoder().encode(self)) }
  }
}

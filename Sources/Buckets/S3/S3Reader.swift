import CurlClient

/// Reads objects of an S3 bucket.
///
/// The first request has no range: S3, and servers like it, tell the checksum of an object only then.
struct S3Reader: ObjectReader {
  let connection: S3Connection
  let settings: TransferSettings

  func get(
    _ key: ObjectKey, _ range: Range<Int>, version: String?, into sink: RangeSink
  ) async throws {
    var fields = [HTTPField("Accept-Encoding", "identity")]
    if range.lowerBound == 0, version == nil {
      fields.append(HTTPField("x-amz-checksum-mode", "ENABLED"))
      sink.expectWhole(takingUpTo: range.upperBound)
    } else {
      fields.append(HTTPField("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
    }
    if let version { fields.append(HTTPField("If-Match", version)) }
    let (head, attempt) = try await connection.transfer(
      S3Connection.Request(
        method: "GET", action: .read, key: key, fields: fields,
        timeouts: settings.transferTimeouts), into: sink)
    if sink.isAccepted { return }
    if head.status == 412, version != nil { throw ObjectReplaced() }
    throw try await connection.failure(S3Response(head, body: sink.errorBody), of: attempt)
  }

  /// A weak tag matches nothing.
  func version(of head: HTTPHead) -> String? {
    head["etag"].flatMap { $0.hasPrefix("W/") ? nil : $0 }
  }
}

/// The checksum of a whole object that S3 tells with it.
enum S3StoredChecksum {
  /// Nil if there is none, or only one over the checksums of parts.
  static func read(_ head: HTTPHead) -> ChecksumValue? {
    guard (head["x-amz-checksum-type"] ?? "FULL_OBJECT").uppercased() == "FULL_OBJECT" else {
      return nil
    }
    let known: [ChecksumAlgorithm] = [.crc64nvme, .crc32c, .crc32, .sha256]
    return known.lazy.compactMap { algorithm in
      head[algorithm.headerName].flatMap { ChecksumValue(base64: $0, algorithm) }
    }.first
  }
}

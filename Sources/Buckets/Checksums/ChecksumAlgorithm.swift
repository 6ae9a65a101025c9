/// How the bytes of an object are summed up. Raw values are those of `STORAGE_S3_CHECKSUM`.
enum ChecksumAlgorithm: String, Sendable, CaseIterable {
  case md5, crc32, crc32c, sha256, crc64nvme

  /// The header in which S3 takes and tells the value, in base64.
  var headerName: String {
    self == .md5 ? "content-md5" : "x-amz-checksum-\(rawValue)"
  }

  /// As the value of `x-amz-checksum-algorithm` and, behind `Checksum`, an element of the document
  /// that completes a multipart upload. S3 has no such name for MD5.
  var amazonName: String? {
    self == .md5 ? nil : rawValue.uppercased()
  }

  /// Bytes of a value.
  var byteCount: Int {
    switch self {
    case .crc32, .crc32c: 4
    case .crc64nvme: 8
    case .md5: 16
    case .sha256: 32
    }
  }

  /// Whether the sum of a whole follows from those of its parts.
  var isCombinable: Bool { crc != nil }

  var crc: CRC? {
    switch self {
    case .crc32: .crc32
    case .crc32c: .crc32c
    case .crc64nvme: .crc64nvme
    case .md5, .sha256: nil
    }
  }
}

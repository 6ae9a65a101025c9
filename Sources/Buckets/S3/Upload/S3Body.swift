import CurlClient
import Executors

/// A range of a file as the body of a request, with what the store compares it with.
///
/// Made once for all tries, since it reads the range.
struct S3Body: Sendable {
  let source: FileRange
  /// Content-MD5 or a checksum of S3's own.
  let field: HTTPField?
  let checksum: ChecksumValue?
  /// The SHA-256 in hexadecimal digits, where bodies are signed.
  let hash: String?

  /// - Parameter isSigned: whether the signature covers the body.
  static func make(
    _ file: FileDescriptor, _ range: Range<Int>, checksum algorithm: ChecksumAlgorithm?,
    isSigned: Bool, meter: TransferMeter
  ) async throws -> S3Body {
    var algorithms = algorithm.map { [$0] } ?? []
    if isSigned, algorithm != .sha256 { algorithms.append(.sha256) }
    let values =
      algorithms.isEmpty
      ? []
      : try await withTaskExecutorPreference(ThreadExecutor(label: "checksums")) {
        try FileChecksums.values(of: file.number, range: range, by: algorithms)
      }
    let checksum = algorithm.flatMap { algorithm in values.first { $0.algorithm == algorithm } }
    return S3Body(
      source: FileRange(file, range, meter: meter),
      field: checksum.map { HTTPField($0.algorithm.headerName, $0.base64) }, checksum: checksum,
      hash: isSigned ? values.first { $0.algorithm == .sha256 }?.hexadecimal : nil)
  }
}

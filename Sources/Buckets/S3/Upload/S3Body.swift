import CurlClient
import Executors

/// A range of a file as the body of a request, with what the store compares it with.
///
/// Made once for all tries, since it reads the range.
struct S3Body: Sendable {
  /// Reading less than this is over before another thread has begun to.
  private static let smallCount = 256 << 10

  let source: FileRange
  /// Told how much of it was sent.
  let meter: TransferMeter
  /// Content-MD5 or a checksum of S3's own.
  let field: HTTPField?
  let checksum: ChecksumValue?
  /// The SHA-256 in hexadecimal digits, where bodies are signed.
  let hash: String?

  /// - Parameters:
  ///   - ranges: a body for each. They are read together, which takes the least time for
  ///     ``MD5Lanes/count`` of one length.
  ///   - isSigned: whether the signatures cover the bodies.
  static func make(
    _ file: FileDescriptor, _ ranges: [Range<Int>], checksum algorithm: ChecksumAlgorithm?,
    isSigned: Bool, of operation: StoreOperation
  ) async throws -> [S3Body] {
    var algorithms = algorithm.map { [$0] } ?? []
    if isSigned, algorithm != .sha256 { algorithms.append(.sha256) }
    let values = try await values(file, ranges, algorithms)
    return zip(ranges, values).map { range, values in
      let meter = TransferMeter(operation)
      let checksum = algorithm.flatMap { algorithm in values.first { $0.algorithm == algorithm } }
      return S3Body(
        source: FileRange(file, range, meter: meter), meter: meter,
        field: checksum.map { HTTPField($0.algorithm.headerName, $0.base64) }, checksum: checksum,
        hash: isSigned ? values.first { $0.algorithm == .sha256 }?.hexadecimal : nil)
    }
  }

  private static func values(
    _ file: FileDescriptor, _ ranges: [Range<Int>], _ algorithms: [ChecksumAlgorithm]
  ) async throws -> [[ChecksumValue]] {
    guard !algorithms.isEmpty else { return ranges.map { _ in [] } }
    if ranges.reduce(0, { $0 + $1.count }) <= smallCount {
      return try FileChecksums.values(of: file.number, ranges: ranges, by: algorithms)
    }
    return try await withTaskExecutorPreference(ThreadExecutor(label: "checksums")) {
      try FileChecksums.values(of: file.number, ranges: ranges, by: algorithms)
    }
  }
}

import CurlClient
import Glibc

import struct FoundationEssentials.URL

extension S3Bucket {
  /// Bytes that one request can store.
  private static let largestPut = 5 << 30

  /// S3 buckets say themselves who may read; no object says otherwise.
  public func upload(
    _ file: URL, to destination: UploadDestination, progress: @escaping TransferProgress
  ) async throws -> StoredObject {
    let start = ContinuousClock.now
    let key = try destination.key(forFileNamed: file.lastPathComponent)
    let (descriptor, size) = try Self.open(file, key)
    let operation = operation(key, progress)
    try await operation.run {
      if size <= min(settings.transfers.multipartThreshold, Self.largestPut) {
        try await put(descriptor, size: size, as: key, destination.contentType, operation)
      } else {
        try await MultipartUpload(
          connection: connection, operation: operation, cleanUps: cleanUps, logger: logger,
          key: key, file: descriptor, size: size, contentType: destination.contentType,
          checksum: checksum
        ).run()
      }
    }
    log.uploaded(file.path, in: .now - start)
    return StoredObject(key: key.text, url: url(for: key))
  }

  private static func open(
    _ file: URL, _ key: ObjectKey
  ) throws(BucketError) -> (FileDescriptor, size: Int) {
    func failure(_ why: String) -> BucketError {
      BucketError(.localDisk, key: key.text, "cannot read \(file.lastPathComponent): \(why)")
    }
    // Without O_NONBLOCK a pipe would be waited for.
    let number = Glibc.open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { throw failure(SystemError.last.text) }
    let descriptor = FileDescriptor(number)
    var status = stat()
    guard fstat(number, &status) == 0 else { throw failure(SystemError.last.text) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw failure("it is no file") }
    return (descriptor, Int(status.st_size))
  }

  private func put(
    _ file: FileDescriptor, size: Int, as key: ObjectKey, _ contentType: String,
    _ operation: StoreOperation
  ) async throws {
    let bodies = try await S3Body.make(
      file, [0..<size], checksum: checksum, isSigned: connection.signsBodies, of: operation)
    let body = bodies[0]
    let request = S3Connection.Request(
      method: "PUT", action: .write, key: key,
      fields: [HTTPField("Content-Type", contentType)] + (body.field.map { [$0] } ?? []),
      body: body.source, bodyHash: body.hash, timeouts: settings.transfers.transferTimeouts)
    try await operation.retrying {
      body.meter.reached(0)
      _ = try await connection.send(request)
    }
  }
}

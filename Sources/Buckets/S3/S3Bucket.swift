import CurlClient
import Executors
import Logging
import Retrying

import struct FoundationEssentials.URL

/// A bucket of Amazon S3, or of a server that speaks its language.
public final class S3Bucket: Bucket {
  public let settings: S3Settings
  let connection: S3Connection
  let cleanUps = CleanUps()
  let checksum: ChecksumAlgorithm?
  let logger: Logger
  private let urls: ObjectURLs
  private let clock: AnyClock
  private let hasWarnedOfShortLife = OnceFlag()

  /// - Parameters:
  ///   - clock: measures pauses between tries.
  ///   - now: seconds since 1970.
  /// - Throws: ``BucketError`` `invalidRequest` that names the setting at fault.
  package init(
    _ settings: S3Settings, credentials: any S3CredentialSource,
    logger: Logger = Logger(label: "S3Storage"), clock: AnyClock = .continuous,
    now: @escaping @Sendable () -> Int = { WallClock.now() }
  ) throws(BucketError) {
    let address = try S3Address(settings)
    self.settings = settings
    self.logger = logger
    self.clock = clock
    checksum = Self.checksum(settings.checksum, logger)
    urls = ObjectURLs.s3(
      bucket: settings.bucket, endpoint: settings.endpoint, publicBaseURL: settings.urls.baseURL)
    connection = S3Connection(
      address, region: settings.region, client: try settings.transfers.makeClient(),
      credentials: credentials, logger: logger, now: now)
  }

  private static func checksum(
    _ choice: S3Settings.UploadChecksum, _ logger: Logger
  ) -> ChecksumAlgorithm? {
    guard choice == .md5 else { return ChecksumAlgorithm(rawValue: choice.rawValue) }
    do throws(BucketError) {
      _ = try Checksum(.md5)
      return .md5
    } catch {
      logger.warning(
        "uploads are checked by SHA-256, since the system refuses MD5",
        metadata: ["event": "storage_checksum", "error": "\(error)"])
      return .sha256
    }
  }

  // MARK: Objects

  public func download(
    _ key: ObjectKey, into folder: URL, limit: Int, progress: @escaping TransferProgress
  ) async throws -> URL {
    let start = ContinuousClock.now
    let operation = operation(key, progress)
    let file = try await operation.run {
      let reader = S3Reader(connection: connection, settings: settings.transfers)
      let download = RangedDownload(
        reader: reader, key: key, folder: folder, limit: limit, operation: operation)
      return try await download.run { result in
        try await Self.verify(result.file, size: result.size, result.head, key)
      }.file.commit()
    }
    log.downloaded(file.path, in: .now - start)
    return file
  }

  private static func verify(
    _ file: PartialFile, size: Int, _ head: HTTPHead, _ key: ObjectKey
  ) async throws {
    guard let stored = S3StoredChecksum.read(head) else { return }
    let own = try await withTaskExecutorPreference(ThreadExecutor(label: "checksums")) {
      try FileChecksums.values(
        of: file.descriptor.number, range: 0..<size, by: [stored.algorithm])
    }
    guard own != [stored] else { return }
    throw FailedTry(
      BucketError(
        .checksum, key: key.text,
        "the bytes of \(key) are not those that were stored: their \(stored.algorithm.rawValue) "
          + "differs", isRetryable: true), .once(.damaged))
  }

  public func delete(_ key: ObjectKey) async throws {
    let request = S3Connection.Request(
      method: "DELETE", action: .remove, key: key, timeouts: settings.transfers.requestTimeouts)
    let operation = operation(key) { _ in }
    _ = try await operation.retrying {
      do { _ = try await connection.send(request) } catch let failed as FailedTry
        where failed.error.code == .notFound
      {}  // Removing what is not there is what was asked for.
    }
  }

  /// Asks for a byte of an object that need not exist, which needs no right to the bucket itself.
  public func check() async throws {
    try await checkPresigning()
    let key = try ObjectKey("uploads/.check")
    let request = S3Connection.Request(
      method: "GET", action: .read, key: key, fields: [HTTPField("Range", "bytes=0-0")],
      timeouts: settings.transfers.requestTimeouts)
    do {
      try await operation(key) { _ in }.retrying { _ = try await connection.send(request) }
    } catch let error as BucketError {
      switch (error.code, error.answer?.status) {
      case (.notFound, _) where error.answer?.serviceCode != nil: return
      case (_, 416): return
      case (.notFound, _):
        throw BucketError(
          .invalidRequest,
          "what answers is not an S3 store: it knows neither the object nor the error NoSuchKey; "
            + "check AWS_ENDPOINT_URL_S3", answer: error.answer)
      case (.accessDenied, _):
        // Without the right to list, stores deny rather than tell that there is nothing.
        logger.warning(
          "the bucket cannot be read or cannot be listed",
          metadata: ["event": "storage_denied", "error": "\(error)"])
      default: throw error
      }
    }
  }

  /// Unsigned requests may do for reading and writing, but not for URLs that carry a signature.
  private func checkPresigning() async throws {
    guard settings.urls.form == .presigned else { return }
    let credential = try await operation(nil) { _ in }.retrying {
      try await connection.credential()
    }
    guard credential == nil else { return }
    throw BucketError(
      .credentials,
      "STORAGE_OUTPUT_URL: presigned URLs need a credential to sign with, and AWS_NO_SIGN_REQUEST "
        + "leaves the service without one; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        + "STORAGE_OUTPUT_URL=public")
  }

  public func facts() async -> BucketFacts {
    let endpoint = connection.endpoint
    var facts = BucketFacts(
      details: [
        .init("endpoint", "\(endpoint.scheme)://\(endpoint.host)\(endpoint.prefix)"),
        .init("region", connection.region),
        .init("addressing", connection.address.isInHost ? "virtual" : "path"),
        .init("checksum", checksum?.rawValue ?? "none"),
        .init("credential", await connection.credentialText()),
      ],
      clockOffset: connection.observedClockOffset, warnings: connection.credentialWarnings)
    if endpoint.scheme == "http", !endpoint.isLoopback {
      facts.warnings.append(
        "AWS_ENDPOINT_URL_S3 is not https: whoever is on the way can read the files.")
    }
    if connection.region != settings.region {
      facts.warnings.append(
        "The bucket is in \(connection.region), not in \(settings.region); set AWS_REGION to it.")
    }
    return facts
  }

  /// Waits until the parts of uploads that were given up are removed.
  public func close() async { await cleanUps.finish() }

  func operation(
    _ key: ObjectKey?, _ progress: @escaping TransferProgress
  ) -> StoreOperation {
    StoreOperation(
      key: key, settings: settings.transfers, clock: clock, logger: logger, progress: progress)
  }

  var log: TransferLog { TransferLog(bucket: settings.bucket, logger: logger) }

  // MARK: URLs

  public func key(named name: String) throws(BucketError) -> ObjectKey {
    try urls.key(named: name)
  }

  /// A presigned one is signed with the credential of the last request; before the first there is
  /// only the public one.
  public func url(for key: ObjectKey) -> String {
    switch settings.urls.form {
    case .uri: "s3://\(settings.bucket)/\(PercentEncoding.encodePath(key.text))"
    case .public: connection.address.publicEndpoint(region: connection.region).url(of: key)
    case .presigned:
      presignedURL(for: key)
        ?? connection.address.publicEndpoint(region: connection.region).url(of: key)
    }
  }

  /// A URL by which everyone can read the object for ``ResultURLs/lifetime``, or until a temporary
  /// credential ends. It is a secret.
  ///
  /// - Parameter disposition: what the answer's `Content-Disposition` shall be.
  /// - Returns: nil if there is no credential to sign with, or none yet.
  func presignedURL(for key: ObjectKey, disposition: String? = nil) -> String? {
    guard let credential = connection.lastCredential else { return nil }
    let lifetime = Int(settings.urls.lifetime.components.seconds)
    if credential.sessionToken != nil,
      credential.expiration.map({ $0 - connection.time < lifetime }) ?? true,
      hasWarnedOfShortLife.raise()
    {
      logger.notice(
        "the credential is temporary; presigned URLs end with it, before STORAGE_URL_EXPIRES",
        metadata: ["event": "storage_url_lifetime", "credential": "\(connection.source)"])
    }
    let signature = connection.signature(by: credential)
    let endpoint = connection.address.presigningEndpoint(region: signature.region)
    let query = signature.presignedQuery(
      host: endpoint.host, path: endpoint.path(of: key),
      lifetime: lifetime,
      items: disposition.map { [("response-content-disposition", $0)] } ?? [])
    return "\(endpoint.url(of: key))?\(query)"
  }
}

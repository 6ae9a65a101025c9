import CurlClient
import Executors
import Logging
import Retrying

import struct FoundationEssentials.URL

/// A bucket of Google Cloud Storage, reached by its JSON API.
///
/// Files are checked by CRC-32C in both directions. A file that is uploaded appears whole or not at
/// all.
public final class GoogleBucket: Bucket {
  /// What is asked for to see whether the bucket can be read; it need not exist.
  private static let probe = "output/.check"

  private let service: GoogleService
  private let access: PublicAccess
  private let cleanUps = CleanUps()
  private let links: GoogleLinks
  private let urls: ObjectURLs
  private let settings: GoogleSettings
  private let clock: AnyClock
  private let log: TransferLog
  private let logger: Logger
  private let credentialSource: String

  /// - Throws: ``BucketError`` for settings or credentials that cannot be used.
  public convenience init(
    _ settings: GoogleSettings, logger: Logger = Logger(label: "GoogleStorage")
  ) throws(BucketError) {
    try self.init(settings, GoogleSurroundings(), logger: logger)
  }

  init(
    _ settings: GoogleSettings, _ surroundings: GoogleSurroundings, logger: Logger
  ) throws(BucketError) {
    let endpoint = try GoogleEndpoint(
      bucket: settings.bucket, emulator: settings.emulator ?? surroundings.storage)
    let client = try settings.transfers.makeClient()
    let credentials =
      settings.emulator == nil
      ? try GoogleCredentials.find(
        settings.credentials,
        scope: settings.publicACL == .never ? .readWrite : .fullControl, settings.transfers,
        client: client, surroundings, logger: logger)
      : .none
    self.settings = settings
    self.logger = logger
    clock = surroundings.clock
    credentialSource = credentials.source
    service = GoogleService(
      client: client, endpoint: endpoint, tokens: credentials.tokens,
      quotaProject: settings.quotaProject ?? credentials.quotaProject,
      settings: settings.transfers, clock: ServerClock(now: surroundings.now),
      failures: GoogleFailures(
        bucket: settings.bucket, server: endpoint.server, account: credentials.account))
    access = PublicAccess(settings.publicACL, bucket: settings.bucket, logger: logger)
    links = try GoogleLinks(
      settings, endpoint: endpoint, signer: credentials.signer, now: surroundings.now)
    urls = .google(
      bucket: settings.bucket, emulator: settings.emulator, publicBaseURL: settings.urls.baseURL)
    log = TransferLog(bucket: settings.bucket, logger: logger)
    if endpoint.isInsecure {
      logger.warning(
        "STORAGE_EMULATOR_HOST is not https: whoever is on the way can read the files",
        metadata: ["event": "storage_insecure", "endpoint": "\(endpoint.base)"])
    }
  }

  public func facts() async -> BucketFacts {
    let base = service.endpoint.base
    var facts = BucketFacts(
      details: [
        .init("endpoint", base), .init("credential", credentialSource),
        .init("public_acl", settings.publicACL.rawValue),
      ], clockOffset: service.clock.offset)
    if service.endpoint.isInsecure {
      facts.warnings.append("Files can be read on the way: \(base) is reached without TLS.")
    }
    if access.isRefused {
      facts.warnings.append(
        "The bucket refuses public ACLs, so that results are not public; \(PublicAccess.advice).")
    }
    return facts
  }

  private func operation(
    _ key: ObjectKey, _ progress: @escaping TransferProgress = { _ in }
  ) -> StoreOperation {
    StoreOperation(
      key: key, settings: settings.transfers, clock: clock, logger: logger, progress: progress)
  }

  // MARK: Files

  public func upload(
    _ file: URL, to destination: UploadDestination, progress: @escaping TransferProgress
  ) async throws -> StoredObject {
    let key = try destination.key(forFileNamed: file.lastPathComponent)
    let operation = operation(key, progress)
    let start = ContinuousClock.now
    return try await operation.run {
      let upload = GoogleUpload(
        service: service, operation: operation, access: access, cleanUps: cleanUps, key: key,
        file: try await UploadFile.open(file, for: key), contentType: destination.contentType,
        visibility: destination.visibility, singleRequestLimit: settings.singleRequestLimit)
      try await upload.run()
      log.uploaded(file.path, in: start.duration(to: .now))
      return StoredObject(key: key.text, url: try await links.url(for: key))
    }
  }

  public func download(
    _ key: ObjectKey, into folder: URL, limit: Int, progress: @escaping TransferProgress
  ) async throws -> URL {
    let operation = operation(key, progress)
    let start = ContinuousClock.now
    return try await operation.run {
      let download = RangedDownload(
        reader: GoogleReader(service: service), key: key, folder: folder, limit: limit,
        operation: operation)
      let result = try await download.run { try await Self.check($0, key) }
      let file =
        result.head.isGzip
        ? try await Self.unpacked(result.file, key, into: folder, limit: limit) : result.file
      let url = try file.commit()
      log.downloaded(url.path, in: start.duration(to: .now))
      return url
    }
  }

  /// Compares what came with what the store says it has.
  private static func check(
    _ result: RangedDownload<GoogleReader>.Result, _ key: ObjectKey
  ) async throws {
    guard result.head.isAsStored, let expected = result.head.googleChecksum else { return }
    let sums = try await withTaskExecutorPreference(ThreadExecutor(label: "bucket")) {
      try FileChecksums.values(
        of: result.file.descriptor.number, range: 0..<result.size, by: [.crc32c])
    }
    guard sums[0] != expected else { return }
    throw FailedTry(
      BucketError(.checksum, key: key.text, "\(key) was damaged on the way from the store"),
      .once(.damaged))
  }

  private static func unpacked(
    _ packed: PartialFile, _ key: ObjectKey, into folder: URL, limit: Int
  ) async throws -> PartialFile {
    defer { packed.discard() }
    let file = try PartialFile(for: key, below: folder)
    do {
      try await withTaskExecutorPreference(ThreadExecutor(label: "bucket")) {
        _ = try Gunzip.unpack(packed, to: file, key: key, limit: limit)
      }
    } catch {
      file.discard()
      throw error
    }
    return file
  }

  // MARK: Small requests

  public func delete(_ key: ObjectKey) async throws {
    let operation = operation(key)
    try await operation.run {
      try await operation.retrying {
        let request = HTTPRequest(
          "DELETE", try service.endpoint.object(key),
          timeouts: service.settings.requestTimeouts)
        do { _ = try await service.send(request, .remove, key) } catch let failed as FailedTry
          where failed.error.code == .notFound
        {
          // Removing what is not there is what was asked for.
        }
      }
    }
  }

  /// Waits until the store has been told of uploads that were given up; connections end with the bucket.
  public func close() async { await cleanUps.finish() }

  public func url(for key: ObjectKey) -> String { links.urlWithoutRequest(for: key) }

  public func key(named name: String) throws(BucketError) -> ObjectKey {
    try urls.key(named: name)
  }

  public func check() async throws {
    let key = try ObjectKey(Self.probe)
    try await operation(key).retrying {
      let request = HTTPRequest(
        "GET", try service.endpoint.object(key, [("alt", "media")]),
        fields: [HTTPField("Range", "bytes=0-0")], timeouts: service.settings.requestTimeouts)
      do { _ = try await service.send(request, .read, key) } catch let failed as FailedTry {
        switch (failed.error.code, failed.error.answer?.status) {
        case (.notFound, _), (_, 416): break
        case (.accessDenied, _):
          logger.warning(
            "the bucket cannot be read or cannot be listed",
            metadata: ["event": "storage_denied", "error": "\(failed.error)"])
        default: throw failed
        }
      }
    }
    try await links.check()
  }
}

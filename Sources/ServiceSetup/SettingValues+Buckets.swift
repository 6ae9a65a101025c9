import Buckets
import Settings

extension SettingValues {
  /// Where the bucket is.
  public mutating func bucketLocation() -> BucketLocation? {
    guard let text = text("STORAGE_BUCKET") else {
      return .folder(ProcessEnvironment.defaultBucketFolder)
    }
    do {
      return try BucketLocation(text)
    } catch {
      report("STORAGE_BUCKET", error.reason)
      return nil
    }
  }

  /// Opens the bucket; nothing is sent to it yet.
  ///
  /// - Parameter patience: how long failing requests are repeated at most, for programs in front of
  ///   which somebody waits.
  /// - Throws: ``BucketError`` when it cannot be opened.
  public func openBucket(
    at location: BucketLocation, patience: Duration? = nil
  ) throws -> any Bucket {
    switch location {
    case .folder(let path):
      return try FolderBucket(
        path: path, urls: resultURLs, synchronizes: boolean("STORAGE_FILE_FSYNC"))
    case .s3(let bucket):
      return try openS3(bucket, transfers: transferSettings(patience: patience))
    case .google(let bucket):
      return try openGoogle(bucket, transfers: transferSettings(patience: patience))
    }
  }

  var resultURLs: ResultURLs {
    ResultURLs(
      form: text("STORAGE_OUTPUT_URL").flatMap { .init(rawValue: $0.lowercased()) } ?? .public,
      baseURL: text("STORAGE_PUBLIC_BASE_URL"), lifetime: duration("STORAGE_URL_EXPIRES"))
  }

  /// Certificates (PEM) to trust besides the system's.
  public var authorityFile: String? {
    text("STORAGE_CA_BUNDLE") ?? text("AWS_CA_BUNDLE") ?? text("SSL_CERT_FILE")
  }

  func transferSettings(patience: Duration? = nil) -> TransferSettings {
    var settings = TransferSettings()
    settings.maximumBackoff = duration("STORAGE_MAX_BACKOFF")
    settings.retryDeadline = limit("STORAGE_RETRY_DEADLINE")
    if let patience { settings.retryDeadline = min(settings.retryDeadline ?? patience, patience) }
    settings.connectTimeout = duration("STORAGE_CONNECT_TIMEOUT")
    settings.stallTimeout = duration("STORAGE_STALL_TIMEOUT")
    settings.partSize = integer("STORAGE_PART_MIB") << 20
    settings.concurrency = integer("STORAGE_CONCURRENCY")
    settings.multipartThreshold = integer("STORAGE_MULTIPART_MIB") << 20
    settings.authorityFile = authorityFile
    settings.userAgent = "redis-consumer/\(Version.number)"
    return settings
  }
}

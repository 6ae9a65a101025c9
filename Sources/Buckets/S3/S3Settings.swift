/// What is known of an S3 bucket before the first request.
public struct S3Settings: Sendable {
  public enum Addressing: String, Sendable, CaseIterable {
    case auto, path, virtual
  }

  /// What the server compares what was sent with (`STORAGE_S3_CHECKSUM`).
  public enum UploadChecksum: String, Sendable, CaseIterable {
    case md5, crc32, crc32c, sha256, crc64nvme, none
  }

  public var bucket: String
  public var region = "us-east-1"
  /// The base URL of a server that is not AWS's (`AWS_ENDPOINT_URL_S3`).
  public var endpoint: String?
  public var addressing = Addressing.auto
  public var usesFIPS = false
  public var usesDualStack = false
  public var checksum = UploadChecksum.md5
  public var urlForm = ResultURLForm.public
  /// What public URLs begin with in place of the store's own.
  public var publicBaseURL: String?
  /// Seconds for which presigned URLs can be used (`STORAGE_URL_EXPIRES`).
  public var urlLifetime = 86_400
  public var transfers = TransferSettings()

  public init(bucket: String) { self.bucket = bucket }
}

/// The form of the URLs that results are given out by (`STORAGE_OUTPUT_URL`).
public enum ResultURLForm: String, Sendable, CaseIterable {
  /// Readable by whom the bucket allows.
  case `public`
  /// Readable by everyone who has the URL, for a while.
  case presigned
  /// `s3://` or `gs://`, for those who have credentials.
  case uri
}

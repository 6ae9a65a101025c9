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
  public var urls = ResultURLs()
  public var transfers = TransferSettings()

  public init(bucket: String) { self.bucket = bucket }
}

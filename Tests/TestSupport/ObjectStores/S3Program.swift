import Foundation
import Testing

/// A program with an S3 server in it. Both check signatures; they differ in what else they check.
///
/// |                                  | SeaweedFS 4.48           | rclone 1.75                       |
/// |----------------------------------|--------------------------|-----------------------------------|
/// | request without signature        | 403 `AccessDenied`       | 400 `UnsupportedAlgorithm`        |
/// | presigned URL out of time        | 403 `AccessDenied`       | 400 `AccessDenied`                |
/// | answer to a range                | 206                      | **200** with `Content-Range`      |
/// | range of an empty object         | 416                      | 416                               |
/// | `If-Match`, `If-None-Match: *`   | 412                      | ignored                           |
/// | wrong `Content-MD5`              | `BadDigest`              | `BadDigest`                       |
/// | wrong `x-amz-checksum-*`         | `BadDigest`              | **stored**, told as it was sent   |
/// | wrong `x-amz-content-sha256`     | **stored**               | **stored**                        |
/// | checksum of several parts        | `…-N`, `COMPOSITE`       | none                              |
/// | parts under 5 MiB                | `EntityTooSmall`         | allowed                           |
/// | part numbers with a gap          | allowed                  | `InvalidPart`                     |
/// | parts out of order               | allowed                  | kept in memory, 256 MiB at most   |
/// | completed twice                  | 200                      | 404 `NoSuchUpload`                |
/// | aborted twice                    | 204                      | 404 `NoSuchUpload`                |
/// | `ETag` of several parts          | `…-N`                    | `…-N` at first, then the MD5      |
/// | keys with `//` or a first `/`    | one slash of them stays  | 400 `InvalidArgument`             |
/// | keys with `/./`                  | 400 `InvalidRequest`     | 400 `InvalidArgument`             |
/// | a component over 255 bytes       | `KeyTooLongError`        | 500 `InternalError`               |
/// | keys with `\`                    | listed with `/`          | kept                              |
/// | folder whose last object goes    | goes                     | goes with what comes just then    |
/// | key that ends in `/`             | a folder, bytes are lost | the slash is lost                 |
public enum S3Program: String, Sendable, CaseIterable, CustomTestStringConvertible {
  case seaweedFS = "weed"
  case rclone

  public var testDescription: String { self == .seaweedFS ? "SeaweedFS" : "rclone" }

  /// Where `scripts/install-test-servers.sh` puts it.
  public var path: String {
    var folder = URL(filePath: #filePath)
    for _ in 0..<4 { folder.deleteLastPathComponent() }
    return folder.appending(path: ".build-servers/bin/\(rawValue)").path
  }

  public var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }
}

extension Trait where Self == ConditionTrait {
  /// For tests against S3 servers: they are skipped, and say so, where these are not installed.
  public static var s3Servers: Self {
    .enabled(
      if: S3Program.allCases.allSatisfy(\.isInstalled),
      "the S3 servers are missing; install them by scripts/install-test-servers.sh")
  }
}

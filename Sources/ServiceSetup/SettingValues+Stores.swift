import Buckets
import FoundationEssentials
import Settings

/// The stores behind `s3://` and `gs://`.
extension SettingValues {
  /// - Throws: ``BucketError`` that names the setting or the file at fault.
  func openS3(_ bucket: String, transfers: TransferSettings) throws(BucketError) -> S3Bucket {
    var variables: [String: String] = [:]
    for setting in SettingsTable.s3 { variables[setting.name] = text(setting.name) }
    let aws = try AWSSettings(variables: variables, homeFolder: homeFolder)
    let configuration = try AWSConfiguration(aws)
    var settings = S3Settings(bucket: bucket)
    settings.region = configuration.region
    settings.endpoint = configuration.endpointURL
    settings.addressing = choice("STORAGE_S3_ADDRESSING", .auto)
    settings.checksum = choice("STORAGE_S3_CHECKSUM", .md5)
    settings.usesFIPS = aws.usesFIPSEndpoints
    settings.usesDualStack = aws.usesDualStackEndpoints
    settings.urls = resultURLs
    settings.transfers = transfers
    return try S3Bucket(
      settings,
      credentials: AWSCredentials(aws, configuration: configuration, transfers: transfers))
  }

  /// - Throws: as ``openS3(_:transfers:)``.
  func openGoogle(
    _ bucket: String, transfers: TransferSettings
  ) throws(BucketError) -> GoogleBucket {
    var settings = GoogleSettings(bucket: bucket)
    settings.emulator = text("STORAGE_EMULATOR_HOST")
    settings.quotaProject = text("GOOGLE_CLOUD_QUOTA_PROJECT")
    settings.publicACL = choice("STORAGE_PUBLIC_ACL", .auto)
    settings.credentials.file = text("GOOGLE_APPLICATION_CREDENTIALS")
    settings.credentials.configurationFolder =
      text("CLOUDSDK_CONFIG") ?? homeFolder.map { $0 + "/.config/gcloud" }
    settings.credentials.metadataHost = text("GCE_METADATA_HOST")
    settings.credentials.isAnonymous = boolean("STORAGE_GCS_ANONYMOUS")
    settings.urls = resultURLs
    settings.transfers = transfers
    return try GoogleBucket(settings)
  }

  /// One of a few words; the table has refused all others.
  private func choice<Value: RawRepresentable<String>>(_ name: String, _ other: Value) -> Value {
    text(name).flatMap { Value(rawValue: $0.lowercased()) } ?? other
  }

  private var homeFolder: String? { ProcessEnvironment.variables["HOME"] }
}

import Settings
import Testing

@testable import Buckets
@testable import ServiceSetup

/// What is set is what buckets are opened with.
@Suite struct StorageSettingsTests {
  private func values(_ environment: [String: String]) -> SettingValues {
    SettingValues(environment: environment)
  }

  @Test func `transfers are as they are set`() {
    let settings = values([
      "STORAGE_MAX_BACKOFF": "7", "STORAGE_RETRY_DEADLINE": "30", "STORAGE_CONNECT_TIMEOUT": "0.5",
      "STORAGE_STALL_TIMEOUT": "3", "STORAGE_PART_MIB": "8", "STORAGE_CONCURRENCY": "2",
      "STORAGE_MULTIPART_MIB": "32",
    ]).transferSettings()
    #expect(settings.maximumBackoff == .seconds(7))
    #expect(settings.retryDeadline == .seconds(30))
    #expect(settings.connectTimeout == .milliseconds(500))
    #expect(settings.stallTimeout == .seconds(3))
    #expect(settings.partSize == 8 << 20)
    #expect(settings.concurrency == 2)
    #expect(settings.multipartThreshold == 32 << 20)
    #expect(settings.authorityFile == nil)
    #expect(settings.userAgent == "redis-consumer/\(Version.number)")
  }

  @Test func `without settings the defaults are those that are told`() {
    let (settings, untouched) = (values([:]).transferSettings(), TransferSettings())
    #expect(settings.maximumBackoff == untouched.maximumBackoff)
    #expect(settings.retryDeadline == untouched.retryDeadline)
    #expect(settings.connectTimeout == untouched.connectTimeout)
    #expect(settings.stallTimeout == untouched.stallTimeout)
    #expect(settings.partSize == untouched.partSize)
    #expect(settings.concurrency == untouched.concurrency)
    #expect(settings.multipartThreshold == untouched.multipartThreshold)
    #expect(values([:]).resultURLs == ResultURLs())
  }

  @Test func `a deadline of zero is none, and a person waits no longer than they like`() {
    let endless = values(["STORAGE_RETRY_DEADLINE": "0"])
    #expect(endless.transferSettings().retryDeadline == nil)
    #expect(endless.transferSettings(patience: .seconds(5)).retryDeadline == .seconds(5))
    #expect(values([:]).transferSettings(patience: .seconds(5)).retryDeadline == .seconds(5))
    let short = values(["STORAGE_RETRY_DEADLINE": "2"])
    #expect(short.transferSettings(patience: .seconds(5)).retryDeadline == .seconds(2))
  }

  @Test func `certificates come from the first setting that names some`() {
    var environment = ["SSL_CERT_FILE": "/c", "AWS_CA_BUNDLE": "/b", "STORAGE_CA_BUNDLE": "/a"]
    #expect(values(environment).transferSettings().authorityFile == "/a")
    environment["STORAGE_CA_BUNDLE"] = nil
    #expect(values(environment).transferSettings().authorityFile == "/b")
    environment["AWS_CA_BUNDLE"] = ""
    #expect(values(environment).transferSettings().authorityFile == "/c")
  }

  @Test func `result URLs are as they are set`() {
    let urls = values([
      "STORAGE_OUTPUT_URL": "Presigned", "STORAGE_PUBLIC_BASE_URL": "https://files.example/x/",
      "STORAGE_URL_EXPIRES": "60",
    ]).resultURLs
    #expect(
      urls
        == ResultURLs(
          form: .presigned, baseURL: "https://files.example/x", lifetime: .seconds(60)))
  }

  @Test func `a bucket of S3 is as it is set`() throws {
    let values = values([
      "AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-2",
      "AWS_ENDPOINT_URL_S3": "https://s3.lab.example", "AWS_ENDPOINT_URL": "https://no.example",
      "STORAGE_S3_ADDRESSING": "Virtual", "STORAGE_S3_CHECKSUM": "CRC32C",
      "AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true",
      "STORAGE_PART_MIB": "8", "STORAGE_OUTPUT_URL": "uri", "AWS_CONFIG_FILE": "/dev/null",
      "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    ])
    let settings = try values.openS3("lab", transfers: values.transferSettings()).settings
    #expect(settings.bucket == "lab" && settings.region == "eu-west-3")
    #expect(settings.endpoint == "https://s3.lab.example")
    #expect(settings.addressing == .virtual && settings.checksum == .crc32c)
    #expect(settings.usesFIPS && settings.usesDualStack)
    #expect(settings.transfers.partSize == 8 << 20 && settings.urls.form == .uri)
  }

  @Test(arguments: [
    "STORAGE_MAX_BACKOFF", "STORAGE_RETRY_DEADLINE", "STORAGE_CONNECT_TIMEOUT",
    "STORAGE_STALL_TIMEOUT", "STORAGE_PART_MIB", "STORAGE_CONCURRENCY", "STORAGE_MULTIPART_MIB",
    "STORAGE_MAX_INPUT_MIB", "STORAGE_URL_EXPIRES", "STORAGE_OUTPUT_URL", "STORAGE_S3_ADDRESSING",
    "STORAGE_S3_CHECKSUM", "STORAGE_PUBLIC_ACL", "STORAGE_GCS_ANONYMOUS", "STORAGE_FILE_FSYNC",
    "STORAGE_UPLOAD_CONTENT_TYPE", "STORAGE_ZIP_MAX_MEMBERS", "STORAGE_ZIP_MAX_MIB",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_EC2_METADATA_DISABLED", "AWS_NO_SIGN_REQUEST",
  ]) func `a value that cannot be read is told with the setting's name`(name: String) {
    #expect(values([name: "a lot"]).problems.map { $0.hasPrefix("\(name): ") } == [true])
  }

  @Test(arguments: [
    ("STORAGE_URL_EXPIRES", "604801"), ("STORAGE_URL_EXPIRES", "0"), ("STORAGE_PART_MIB", "4"),
    ("STORAGE_CONCURRENCY", "0"), ("STORAGE_STALL_TIMEOUT", "0"), ("STORAGE_MAX_BACKOFF", "-1"),
  ]) func `a value out of range is told with the setting's name`(name: String, text: String) {
    #expect(values([name: text]).problems.map { $0.hasPrefix("\(name): ") } == [true])
  }

  @Test(arguments: [
    ("lab", "\"lab\""), ("ftp://lab", "file://FOLDER"), ("az://lab", "Azure"),
    ("s3://lab/folder", "give the bucket alone"),
  ]) func `a bucket that is none is told with what there is`(text: String, words: String) {
    var values = values(["STORAGE_BUCKET": text])
    let location = values.bucketLocation()
    #expect(location == nil)
    #expect(
      values.problems.map { $0.hasPrefix("STORAGE_BUCKET: ") && $0.contains(words) } == [true])
  }

  @Test func `results are sent as it is set`() throws {
    var values = values([
      "STORAGE_UPLOAD_HOSTS": "t.example", "STORAGE_UPLOAD_CONTENT_TYPE": "off",
      "UPLOAD_URL": "https://t.example/in/", "STORAGE_RETRY_DEADLINE": "30",
    ])
    let made = values.uploadTargets()
    let targets = try #require(made)
    #expect(!targets.hosts.isEmpty && !targets.sendsContentType)
    #expect(targets.settings.retryDeadline == .seconds(30))
    let url = values.uploadURL(targets)
    #expect(url == "https://t.example/in/" && values.problems.isEmpty)
  }
}

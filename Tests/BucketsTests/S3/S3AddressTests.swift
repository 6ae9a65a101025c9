import Testing

@testable import Buckets

@Suite struct S3AddressTests {
  private let key: ObjectKey

  init() throws { key = try ObjectKey("output/a b+é.zip") }

  private func settings(
    _ bucket: String = "lab", region: String = "eu-west-1", endpoint: String? = nil,
    addressing: S3Settings.Addressing = .auto
  ) -> S3Settings {
    var settings = S3Settings(bucket: bucket)
    settings.region = region
    settings.endpoint = endpoint
    settings.addressing = addressing
    return settings
  }

  private func url(_ settings: S3Settings) throws -> String {
    try S3Address(settings).endpoint(region: settings.region).url(of: key)
  }

  private func publicURL(_ settings: S3Settings) throws -> String {
    try S3Address(settings).publicEndpoint(region: settings.region).url(of: key)
  }

  private let encoded = "output/a%20b%2B%C3%A9.zip"

  @Test func `AWS is addressed by host, but for names that its certificate does not fit`() throws {
    #expect(try url(settings()) == "https://lab.s3.eu-west-1.amazonaws.com/\(encoded)")
    #expect(
      try url(settings("lab.images")) == "https://s3.eu-west-1.amazonaws.com/lab.images/\(encoded)")
    #expect(
      try url(settings("lab_images")) == "https://s3.eu-west-1.amazonaws.com/lab_images/\(encoded)")
    #expect(
      try url(settings(addressing: .path)) == "https://s3.eu-west-1.amazonaws.com/lab/\(encoded)")
    #expect(
      try url(settings("lab.images", addressing: .virtual))
        == "https://lab.images.s3.eu-west-1.amazonaws.com/\(encoded)")
  }

  @Test func `China has a domain of its own`() throws {
    #expect(
      try url(settings(region: "cn-north-1"))
        == "https://lab.s3.cn-north-1.amazonaws.com.cn/\(encoded)")
    #expect(
      try publicURL(settings(region: "cn-north-1"))
        == "https://s3.cn-north-1.amazonaws.com.cn/lab/\(encoded)")
  }

  @Test func `FIPS and dual-stack hosts are used when asked for`() throws {
    var settings = settings()
    settings.usesFIPS = true
    #expect(try url(settings) == "https://lab.s3-fips.eu-west-1.amazonaws.com/\(encoded)")
    settings.usesDualStack = true
    #expect(
      try url(settings) == "https://lab.s3-fips.dualstack.eu-west-1.amazonaws.com/\(encoded)")
    settings.usesFIPS = false
    #expect(try url(settings) == "https://lab.s3.dualstack.eu-west-1.amazonaws.com/\(encoded)")
  }

  @Test(arguments: [
    ("http://127.0.0.1:9000", "http://127.0.0.1:9000/lab/"),
    ("HTTPS://Minio.Lab:443/", "https://minio.lab/lab/"),
    ("http://minio.lab:80/store/s3//", "http://minio.lab/store/s3/lab/"),
    ("https://minio.lab:80", "https://minio.lab:80/lab/"),
    ("http://[::1]:9000/a%2fb c", nil),
    ("http://[::1]:9000/a%41é/%20", "http://[::1]:9000/aA%C3%A9/%20/lab/"),
  ])
  func `another server is addressed by path, with its own path in front`(
    endpoint: String, start: String?
  ) throws {
    let settings = settings(endpoint: endpoint)
    guard let start else {
      #expect(throws: BucketError.self) { try S3Address(settings) }
      return
    }
    #expect(try url(settings) == start + encoded)
    #expect(try publicURL(settings) == start + encoded)
  }

  @Test func `another server can be addressed by host`() throws {
    let settings = settings(endpoint: "http://minio.lab:9000/x", addressing: .virtual)
    #expect(try url(settings) == "http://lab.minio.lab:9000/x/\(encoded)")
    #expect(try publicURL(settings) == "http://lab.minio.lab:9000/x/\(encoded)")
  }

  @Test func `public URLs are those of the Python service, with the region where it is needed`()
    throws
  {
    #expect(
      try publicURL(settings(region: "us-east-1")) == "https://s3.amazonaws.com/lab/\(encoded)")
    #expect(try publicURL(settings()) == "https://s3.eu-west-1.amazonaws.com/lab/\(encoded)")
    var settings = settings()
    settings.publicBaseURL = "https://cdn.lab.example/data/"
    #expect(try publicURL(settings) == "https://cdn.lab.example/data/\(encoded)")
  }

  @Test(arguments: [
    ("ftp://x", "AWS_ENDPOINT_URL_S3"), ("minio.lab:9000/x", "AWS_ENDPOINT_URL_S3"),
    ("http://user:pw@minio.lab", "AWS_ENDPOINT_URL_S3"), ("http://x/?a=b", "AWS_ENDPOINT_URL_S3"),
    ("", "AWS_ENDPOINT_URL_S3"), ("http://x/%zz", "AWS_ENDPOINT_URL_S3"),
  ])
  func `an endpoint that cannot be used is refused by the name of its setting`(
    endpoint: String, setting: String
  ) {
    let error = #expect(throws: BucketError.self) { try S3Address(settings(endpoint: endpoint)) }
    #expect(error?.description.contains(setting) == true)
    #expect(error?.description.contains("pw") == false)
  }

  @Test func `values that would become part of a host's name are checked`() {
    for region in ["", "eu west", "x.evil.example/", "US-EAST-1"] {
      let error = #expect(throws: BucketError.self) { try S3Address(settings(region: region)) }
      #expect(error?.description.contains("AWS_REGION") == true)
    }
    for bucket in ["", "..", "a/b", "a?b", "a@b", "ä"] {
      let error = #expect(throws: BucketError.self) { try S3Address(settings(bucket)) }
      #expect(error?.description.contains("STORAGE_BUCKET") == true)
    }
    for lifetime in [0, -1, 604_801] {
      var settings = settings()
      settings.urlLifetime = lifetime
      let error = #expect(throws: BucketError.self) { try S3Address(settings) }
      #expect(error?.description.contains("STORAGE_URL_EXPIRES") == true)
    }
  }
}

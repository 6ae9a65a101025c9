import TestSupport
import Testing

@testable import Buckets

@Suite struct AWSSettingsTests {
  private let harness: CredentialHarness

  init() throws { harness = try CredentialHarness() }

  private func configuration(_ variables: [String: String] = [:]) throws -> AWSConfiguration {
    try AWSConfiguration(harness.settings(variables))
  }

  @Test(arguments: ["", "specify_me", "NA", "invalid_value"])
  func `a placeholder is no key`(text: String) throws {
    let settings = try harness.settings([
      "AWS_ACCESS_KEY_ID": text, "AWS_SECRET_ACCESS_KEY": text, "AWS_SESSION_TOKEN": text,
    ])
    #expect(settings.accessKeyID == nil)
    #expect(settings.secretAccessKey == nil)
    #expect(settings.sessionToken == nil)
  }

  @Test(arguments: [
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_EC2_METADATA_DISABLED", "AWS_NO_SIGN_REQUEST",
    "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
  ])
  func `a switch that is neither on nor off is an error that names it`(name: String) throws {
    let error = #expect(throws: BucketError.self) { try harness.settings([name: "maybe"]) }
    #expect(error?.reason.contains(name) == true)
    for on in ["true", "TRUE", "1", "yes", "on"] { _ = try harness.settings([name: on]) }
  }

  @Test func `regions come from variables, then the profile, then the default`() throws {
    #expect(try configuration().region == "us-east-1")
    try harness.write("[default]\nregion = eu-north-1\n", to: ".aws/config")
    #expect(try configuration().region == "eu-north-1")
    #expect(try configuration(["AWS_DEFAULT_REGION": "eu-west-2"]).region == "eu-west-2")
    #expect(
      try configuration(["AWS_DEFAULT_REGION": "eu-west-2", "AWS_REGION": "eu-west-1"]).region
        == "eu-west-1")
    #expect(try configuration(["AWS_REGION": ""]).region == "eu-north-1")
  }

  @Test func `endpoints come from variables, then the profile`() throws {
    #expect(try configuration().endpointURL == nil)
    try harness.write(
      """
      [profile lab]
      endpoint_url = http://all:1
      [profile own]
      services = mine
      endpoint_url = http://all:1
      [services mine]
      dynamodb =
        endpoint_url = http://no:1
      s3 =
        endpoint_url = http://own:1
      [profile off]
      endpoint_url = http://all:1
      ignore_configured_endpoint_urls = true
      """, to: ".aws/config")
    #expect(try configuration(["AWS_PROFILE": "lab"]).endpointURL == "http://all:1")
    #expect(try configuration(["AWS_PROFILE": "own"]).endpointURL == "http://own:1")
    #expect(try configuration(["AWS_PROFILE": "off"]).endpointURL == nil)
    var variables = ["AWS_PROFILE": "own", "AWS_ENDPOINT_URL": "http://a:2"]
    #expect(try configuration(variables).endpointURL == "http://a:2")
    variables["AWS_ENDPOINT_URL_S3"] = "http://s:3"
    #expect(try configuration(variables).endpointURL == "http://s:3")
    variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true"
    #expect(try configuration(variables).endpointURL == nil)
  }

  @Test(arguments: [
    "evil.example/", "eu west", "EU-WEST-1", "a@b", "é", String(repeating: "a", count: 64),
  ])
  func `what is no region is refused`(region: String) throws {
    let error = #expect(throws: BucketError.self) { try configuration(["AWS_REGION": region]) }
    #expect(error?.reason.contains("AWS_REGION") == true)
  }

  @Test(arguments: [
    ("eu-west-1", false, false, "https://sts.eu-west-1.amazonaws.com/"),
    ("us-gov-west-1", true, false, "https://sts-fips.us-gov-west-1.amazonaws.com/"),
    ("eu-west-1", false, true, "https://sts.eu-west-1.api.aws/"),
    ("cn-north-1", false, false, "https://sts.cn-north-1.amazonaws.com.cn/"),
    ("cn-north-1", false, true, "https://sts.cn-north-1.api.amazonwebservices.com.cn/"),
  ])
  func `STS is asked in the region`(
    region: String, usesFIPS: Bool, usesDualStack: Bool, url: String
  ) throws {
    let settings = try harness.settings([
      "AWS_REGION": region, "AWS_USE_FIPS_ENDPOINT": "\(usesFIPS)",
      "AWS_USE_DUALSTACK_ENDPOINT": "\(usesDualStack)",
    ])
    #expect(try AWSConfiguration(settings).stsURL(settings) == url)
  }

  @Test func `settings do not show secrets`() throws {
    let settings = try harness.settings([
      "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": CredentialHarness.secretKey,
      "AWS_SESSION_TOKEN": CredentialHarness.sessionToken,
      "AWS_CONTAINER_AUTHORIZATION_TOKEN": CredentialHarness.authorization,
    ])
    var dumped = ""
    dump(settings, to: &dumped)
    for secret in [
      CredentialHarness.secretKey, CredentialHarness.sessionToken, CredentialHarness.authorization,
    ] {
      #expect(!"\(settings) \(dumped)".contains(secret))
    }
  }
}

import TestSupport
import Testing

@testable import Buckets

@Suite struct ProfileTests {
  private let harness: CredentialHarness

  init() throws { harness = try CredentialHarness() }

  private static let keys = """
    aws_access_key_id = AKIDPROFILE
    aws_secret_access_key = \(CredentialHarness.secretKey)
    """

  private func write(credentials: String = "", configuration: String = "") throws {
    try harness.write(credentials, to: ".aws/credentials")
    try harness.write(configuration, to: ".aws/config")
  }

  @Test func `keys come from the default profile`() async throws {
    try write(credentials: "[default]\n\(Self.keys)\naws_session_token = a/b+c==\n")
    let credentials = try harness.credentials()
    let credential = try #require(try await credentials.current())
    #expect(credential.accessKeyID == "AKIDPROFILE")
    #expect(credential.secretAccessKey.revealed == CredentialHarness.secretKey)
    #expect(credential.sessionToken?.revealed == "a/b+c==")
    #expect(credentials.source.hasPrefix("profile default of ~/.aws/credentials"))
  }

  @Test func `keys come from the profile and the files that the settings name`() async throws {
    let keys = try harness.write("[work]\n\(Self.keys)\n", to: "keys")
    let other = try harness.write("[profile work]\nregion = eu-west-3\n", to: "other")
    let variables = [
      "AWS_PROFILE": "work", "AWS_SHARED_CREDENTIALS_FILE": keys, "AWS_CONFIG_FILE": other,
    ]
    #expect(try await harness.credentials(variables).current()?.accessKeyID == "AKIDPROFILE")
    #expect(try AWSConfiguration(harness.settings(variables)).region == "eu-west-3")
  }

  @Test func `the file of credentials counts before that of configuration`() async throws {
    try write(
      credentials: "[default]\n\(Self.keys)\n",
      configuration: "[default]\naws_access_key_id = OTHER\nregion = eu-west-3\n")
    let settings = try harness.settings()
    #expect(try AWSProfile(settings).text("aws_access_key_id") == "AKIDPROFILE")
    #expect(try AWSProfile(settings).region == "eu-west-3")
  }

  @Test func `a session that a tool replaces is read anew`() async throws {
    try write(credentials: "[default]\n\(Self.keys)\n")
    let credentials = try harness.credentials()
    let old = try #require(try await credentials.current())
    try write(credentials: "[default]\naws_access_key_id=NEW\naws_secret_access_key=x\n")
    #expect(try await credentials.current() == old)
    harness.time.advance(by: 10)
    #expect(try await credentials.refresh(insteadOf: old)?.accessKeyID == "NEW")
    #expect(try await credentials.current()?.accessKeyID == "NEW")
  }

  @Test(arguments: [
    ("role_arn = a\nsource_profile = b", "source_profile"),
    ("role_arn = a\ncredential_source = Environment", "credential_source"),
    ("role_arn = a", "role_arn without web_identity_token_file"),
    ("web_identity_token_file = a", "role_arn"),
    ("credential_process = /bin/true", "credential_process"),
    ("sso_session = a", "sso_session"),
    ("sso_start_url = https://a\nsso_account_id = 1", "sso_start_url"),
    ("aws_access_key_id = a", "aws_secret_access_key"),
    ("aws_secret_access_key = \(CredentialHarness.secretKey)", "aws_access_key_id"),
    ("aws_access_key_id = a b\naws_secret_access_key = c", "access key id"),
  ])
  func `what is not supported or not complete is refused`(
    profile: String, word: String
  ) async throws {
    try write(configuration: "[default]\n\(profile)\n")
    // Unsigned requests must not come in its place.
    let credentials = try harness.credentials(["AWS_NO_SIGN_REQUEST": "true"])
    let error = try await harness.failure { try await credentials.current() }
    #expect(error.code == .credentials)
    #expect(error.reason.contains(word))
    #expect(error.reason.contains("profile default"))
    #expect(!error.isRetryable)
  }

  @Test func `a role with another profile as its source is refused beside keys`() async throws {
    try write(credentials: "[default]\n\(Self.keys)\nrole_arn = a\nsource_profile = b\n")
    let credentials = try harness.credentials()
    #expect(
      try await harness.failure { try await credentials.current() }.reason.contains(
        "source_profile"))
  }

  @Test func `keys count before a process`() async throws {
    try write(
      credentials: "[default]\n\(Self.keys)\n", configuration: "[default]\ncredential_process = x\n"
    )
    #expect(try await harness.credentials().current()?.accessKeyID == "AKIDPROFILE")
  }

  @Test(arguments: ["AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"])
  func `what the settings name must be there`(variable: String) async throws {
    try write(credentials: "[default]\n\(Self.keys)\n")
    let settings = try harness.settings([variable: "/nowhere/at-all"])
    let error = #expect(throws: BucketError.self) { try AWSProfile(settings) }
    #expect(error?.reason.contains(variable) == true)
  }

  @Test(arguments: ["", "[other]\nregion = eu-west-1\n", "[default]\nregion = eu-west-1\n"])
  func `a profile without credentials does not apply`(configuration: String) async throws {
    try write(configuration: configuration)
    let credentials = try harness.credentials(["AWS_NO_SIGN_REQUEST": "true"])
    #expect(try await credentials.current() == nil)
  }

  @Test func `placeholders in a profile are no keys`() async throws {
    try write(
      credentials: "[default]\naws_access_key_id = specify_me\naws_secret_access_key = specify_me\n"
    )
    let credentials = try harness.credentials(["AWS_NO_SIGN_REQUEST": "true"])
    #expect(try await credentials.current() == nil)
  }

  @Test func `a file may be an empty device and must not be a folder or huge`() throws {
    #expect(try !AWSProfile(harness.settings(["AWS_CONFIG_FILE": "/dev/null"])).exists)
    let huge = String(repeating: "#", count: INIFile.sizeLimit + 1)
    for path in ["/dev/zero", harness.folder.path, try harness.write(huge, to: "huge")] {
      let settings = try harness.settings(["AWS_CONFIG_FILE": path])
      let error = #expect(throws: BucketError.self) { try AWSProfile(settings) }
      #expect(error?.reason.contains(path) == true)
    }
  }

  @Test func `a profile does not show its values`() throws {
    try write(credentials: "[default]\n\(Self.keys)\n")
    var dumped = ""
    let profile = try AWSProfile(harness.settings())
    dump(profile, to: &dumped)
    #expect(!"\(profile) \(dumped)".contains(CredentialHarness.secretKey))
  }
}

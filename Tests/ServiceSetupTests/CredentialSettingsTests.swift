import Buckets
import Foundation
import Settings
import TestSupport
import Testing

@testable import ServiceSetup

/// Each place of a credential is found by its settings alone.
@Suite struct CredentialSettingsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Without anything of whoever runs the tests.
  private static let nothing = [
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CONFIG_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
    "CLOUDSDK_CONFIG": "/nowhere",
  ]

  private func write(_ text: String, to name: String) throws -> String {
    let path = folder.file(name)
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    return path
  }

  /// What the start tells of the credential.
  private func credential(
    _ environment: [String: String], bucket: String = "s3://lab"
  ) async throws -> String {
    let values = SettingValues(environment: Self.nothing.merging(environment) { $1 })
    #expect(values.problems.isEmpty)
    let facts = try await values.openBucket(at: BucketLocation(bucket)).facts()
    let text = facts.details.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    try TestSecret.check(text, of: "what is told of the bucket")
    return try #require(facts.details.first { $0.name == "credential" }?.value)
  }

  private static let keys = #"""
    {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "tell-nobody-1", "Token": "tell-nobody-2",
     "Expiration": "2999-01-01T00:00:00Z"}
    """#

  private func profile(_ name: String) -> String {
    "[\(name)]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = tell-nobody-1\n"
  }

  @Test func `keys of the environment`() async throws {
    let keys = ["AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "tell-nobody-1"]
    #expect(try await credential(keys) == "AKID… from AWS_ACCESS_KEY_ID")
    let broken = keys.merging(["AWS_SESSION_TOKEN": "tell-nobody-2\n"]) { $1 }
    #expect(try await credential(broken).contains("the session token has a blank"))
  }

  @Test func `a role by web identity`() async throws {
    let server = try await TestWebServer { request in
      let form = String(decoding: request.body, as: UTF8.self)
      guard form.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&"),
        form.contains("RoleSessionName=pod&"), form.contains("WebIdentityToken=tell-nobody-3")
      else { return .respond(400) }
      return .respond(
        200,
        """
        <a><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>tell-nobody-1\
        </SecretAccessKey><SessionToken>tell-nobody-2</SessionToken>\
        <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></a>
        """)
    }
    let token = try write("tell-nobody-3\n", to: "token")
    let found = try await credential([
      "AWS_ROLE_ARN": "arn:aws:iam::1:role/x", "AWS_WEB_IDENTITY_TOKEN_FILE": token,
      "AWS_ROLE_SESSION_NAME": "pod", "AWS_ENDPOINT_URL_STS": server.url(),
    ])
    #expect(found == "ASIA… from role arn:aws:iam::1:role/x by web identity \(token)")
  }

  @Test func `a profile of the shared files`() async throws {
    let keys = try write(profile("work"), to: "credentials")
    let other = try write("[profile work]\nregion = eu-west-3\n", to: "config")
    let environment = [
      "AWS_PROFILE": "work", "AWS_SHARED_CREDENTIALS_FILE": keys, "AWS_CONFIG_FILE": other,
    ]
    #expect(try await credential(environment).hasPrefix("AKID… from profile work of \(keys)"))
    let values = SettingValues(environment: Self.nothing.merging(environment) { $1 })
    let bucket = try values.openS3("lab", transfers: values.transferSettings())
    #expect(bucket.settings.region == "eu-west-3")
  }

  @Test func `a container's agent`() async throws {
    let server = try await TestWebServer { request in
      ["tell-nobody-3", "tell-nobody-4"].contains(request.fields["authorization"])
        ? .respond(200, Self.keys) : .respond(401)
    }
    let address = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url()]
    let found = "ASIA… from the container's role by http://127.0.0.1:\(server.port)"
    for other in [
      ["AWS_CONTAINER_AUTHORIZATION_TOKEN": "tell-nobody-3"],
      ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": try write("tell-nobody-4", to: "token")],
    ] {
      #expect(try await credential(address.merging(other) { $1 }) == found)
    }
    let relative = try await credential(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "x"])
    #expect(relative.contains("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /"))
  }

  @Test func `the machine's own role`() async throws {
    let server = try await TestWebServer { request in
      switch request.target {
      case "/latest/api/token": .respond(200, "tell-nobody-3")
      case "/latest/meta-data/iam/security-credentials/": .respond(200, "consumer")
      default: .respond(200, Self.keys)
      }
    }
    let found = try await credential([
      "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url(),
    ])
    #expect(found == "ASIA… from the instance's role consumer")
  }

  @Test func `none at all`() async throws {
    let missing = try await credential([:])
    #expect(missing.hasPrefix("none: no AWS credential: environment: AWS_ACCESS_KEY_ID and"))
    #expect(missing.contains("AWS_EC2_METADATA_DISABLED is true"))
    let unsigned = try await credential(["AWS_NO_SIGN_REQUEST": "true"])
    #expect(unsigned == "none: requests are unsigned")
  }

  // MARK: Google

  private static let user = #"""
    {"type": "authorized_user", "client_id": "a", "client_secret": "tell-nobody-1",
     "refresh_token": "tell-nobody-2"}
    """#

  @Test func `Google's places`() async throws {
    let file = try write(Self.user, to: "application_default_credentials.json")
    func found(_ environment: [String: String]) async throws -> String {
      try await credential(environment, bucket: "gs://lab")
    }
    let user = "the user who is logged in (\(file))"
    var environment = ["CLOUDSDK_CONFIG": folder.path]
    #expect(try await found([:]) == "the machine's service account")
    #expect(try await found(environment) == user)
    environment = ["GOOGLE_APPLICATION_CREDENTIALS": file]
    #expect(try await found(environment) == user)
    environment["STORAGE_GCS_ANONYMOUS"] = "true"
    #expect(try await found(environment) == "none")
    environment["STORAGE_GCS_ANONYMOUS"] = nil
    environment["STORAGE_EMULATOR_HOST"] = "127.0.0.1:1"
    #expect(try await found(environment) == "none")
  }

  @Test func `Google's metadata server is where it is set`() async throws {
    let server = try await TestWebServer { _ in
      .respond(403, fields: ["Metadata-Flavor": "Google"])
    }
    let values = SettingValues(
      environment: Self.nothing.merging(["GCE_METADATA_HOST": "127.0.0.1:\(server.port)"]) { $1 })
    let bucket = try values.openBucket(at: .google(bucket: "lab"), patience: .milliseconds(1))
    await #expect(throws: BucketError.self) { try await bucket.check() }
    #expect(server.requests.first?.target.hasPrefix("/computeMetadata/v1/instance/") == true)
  }

  @Test(arguments: [("auto", "auto"), ("Never", "never"), ("always", "always")])
  func `Google's public ACL is as it is set`(text: String, expected: String) async throws {
    let values = SettingValues(environment: [
      "STORAGE_EMULATOR_HOST": "127.0.0.1:1", "STORAGE_PUBLIC_ACL": text,
    ])
    let details = try await values.openBucket(at: .google(bucket: "lab")).facts().details
    #expect(details.contains(.init("public_acl", expected)))
    #expect(details.contains(.init("endpoint", "http://127.0.0.1:1")))
  }

  @Test func `requests are counted to the project that is set`() async throws {
    let store = try await TestWebServer { _ in .respond(404) }
    let values = SettingValues(environment: [
      "STORAGE_EMULATOR_HOST": store.url(""), "GOOGLE_CLOUD_QUOTA_PROJECT": "lab-7",
    ])
    _ = try? await values.openBucket(at: .google(bucket: "lab"), patience: .milliseconds(1))
      .check()
    #expect(store.requests.first?.fields["x-goog-user-project"] == "lab-7")
  }
}

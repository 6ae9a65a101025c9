/// What operators tell about AWS: the standard variables, as values.
package struct AWSSettings: Sendable {
  /// `AWS_REGION`, then `AWS_DEFAULT_REGION`.
  package var region: String?
  /// `AWS_ENDPOINT_URL_S3`, then `AWS_ENDPOINT_URL`.
  package var endpointURL: String?
  /// `AWS_ENDPOINT_URL_STS`.
  package var stsEndpointURL: String?
  /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`.
  package var ignoresEndpointURLs = false
  /// `AWS_USE_FIPS_ENDPOINT`.
  package var usesFIPSEndpoints = false
  /// `AWS_USE_DUALSTACK_ENDPOINT`: hosts that have addresses of IPv6 too.
  package var usesDualStackEndpoints = false

  /// `AWS_ACCESS_KEY_ID`.
  package var accessKeyID: String?
  /// `AWS_SECRET_ACCESS_KEY`.
  package var secretAccessKey: Secret?
  /// `AWS_SESSION_TOKEN`.
  package var sessionToken: Secret?

  /// `AWS_WEB_IDENTITY_TOKEN_FILE`.
  package var webIdentityTokenFile: String?
  /// `AWS_ROLE_ARN`.
  package var roleARN: String?
  /// `AWS_ROLE_SESSION_NAME`.
  package var roleSessionName: String?

  /// `AWS_SHARED_CREDENTIALS_FILE`; nil: `~/.aws/credentials`.
  package var credentialsFile: String?
  /// `AWS_CONFIG_FILE`; nil: `~/.aws/config`.
  package var configurationFile: String?
  /// `AWS_PROFILE`; nil: `default`.
  package var profile: String?
  /// What `~` stands for.
  package var homeFolder: String?

  /// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`.
  package var containerRelativeURI: String?
  /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
  package var containerFullURI: String?
  /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
  package var containerTokenFile: String?
  /// `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
  package var containerToken: Secret?

  /// `AWS_EC2_METADATA_SERVICE_ENDPOINT`; nil: the address that every instance has.
  package var instanceEndpoint: String?
  /// `AWS_EC2_METADATA_DISABLED`.
  package var ignoresInstance = false

  /// `AWS_NO_SIGN_REQUEST`: requests are sent unsigned where there is no credential.
  package var allowsAnonymous = false

  package init() {}

  /// - Parameters:
  ///   - variables: of the environment; empty ones count as unset.
  ///   - homeFolder: of the user.
  /// - Throws: ``BucketError`` `invalidRequest` that names the first variable whose value cannot be
  ///   understood.
  package init(variables: [String: String], homeFolder: String?) throws(BucketError) {
    func text(_ names: String...) -> String? {
      names.lazy.compactMap { variables[$0] }.first { !$0.isEmpty }
    }
    func switchValue(_ name: String) throws(BucketError) -> Bool {
      switch text(name)?.lowercased() {
      case nil, "false", "0", "no", "off": return false
      case "true", "1", "yes", "on": return true
      default: throw BucketError(.invalidRequest, "\(name) is neither true nor false")
      }
    }
    region = text("AWS_REGION", "AWS_DEFAULT_REGION")
    endpointURL = text("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    stsEndpointURL = text("AWS_ENDPOINT_URL_STS")
    ignoresEndpointURLs = try switchValue("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
    usesFIPSEndpoints = try switchValue("AWS_USE_FIPS_ENDPOINT")
    usesDualStackEndpoints = try switchValue("AWS_USE_DUALSTACK_ENDPOINT")
    accessKeyID = Self.unlessPlaceholder(text("AWS_ACCESS_KEY_ID"))
    secretAccessKey = Self.unlessPlaceholder(text("AWS_SECRET_ACCESS_KEY")).map(Secret.init)
    sessionToken = Self.unlessPlaceholder(text("AWS_SESSION_TOKEN")).map(Secret.init)
    webIdentityTokenFile = text("AWS_WEB_IDENTITY_TOKEN_FILE")
    roleARN = text("AWS_ROLE_ARN")
    roleSessionName = text("AWS_ROLE_SESSION_NAME")
    credentialsFile = text("AWS_SHARED_CREDENTIALS_FILE")
    configurationFile = text("AWS_CONFIG_FILE")
    profile = text("AWS_PROFILE")
    self.homeFolder = homeFolder
    containerRelativeURI = text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    containerFullURI = text("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    containerTokenFile = text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    containerToken = text("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Secret.init)
    instanceEndpoint = text("AWS_EC2_METADATA_SERVICE_ENDPOINT")
    ignoresInstance = try switchValue("AWS_EC2_METADATA_DISABLED")
    allowsAnonymous = try switchValue("AWS_NO_SIGN_REQUEST")
  }

  /// Nil for what deployments of the Python service fill in where there is no credential. Taken for
  /// one, it would hide the role of the machine or pod.
  static func unlessPlaceholder(_ text: String?) -> String? {
    text.flatMap { ["", "specify_me", "NA", "invalid_value"].contains($0) ? nil : $0 }
  }
}

import CurlClient

/// A role that is taken on with a token of the cluster that the process runs in ("IRSA").
struct WebIdentityLink: AWSCredentialLink {
  /// What the role is and how it is taken on.
  struct Role: Sendable {
    var arn: String
    /// It is read anew each time, since tokens are replaced.
    var tokenFile: String
    var sessionName: String?
  }

  let name = "web identity"
  /// Nil for the one that the settings name.
  var role: Role?
  let settings: AWSSettings
  let configuration: AWSConfiguration
  let service: CredentialService
  let now: @Sendable () -> Int

  private static let transientCodes: Set<String> = [
    "IDPCommunicationError", "Throttling", "ThrottlingException", "RequestLimitExceeded",
    "InternalFailure", "ServiceUnavailable",
  ]

  func find() async throws -> FoundCredential {
    let role = try role ?? settingsRole()
    let url = try endpoint()
    // Chosen once: every try is the same session.
    let session = role.sessionName ?? "redis-consumer-\(now())"
    var token: Secret?
    let credential = try await service.answer {
      let current = try readToken(role.tokenFile)
      token = current
      return HTTPRequest(
        "POST", url, fields: [HTTPField("Content-Type", "application/x-www-form-urlencoded")],
        body: HTTPBytes(
          Self.form([
            ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"),
            ("RoleArn", role.arn), ("RoleSessionName", session),
            ("WebIdentityToken", current.revealed),
          ])))
    } read: { response in
      try read(response, hiding: token)
    }
    return FoundCredential(
      credential: credential,
      source: "role \(role.arn) by web identity \(role.tokenFile)")
  }

  private func settingsRole() throws -> Role {
    switch (settings.roleARN, settings.webIdentityTokenFile) {
    case (nil, nil): throw LinkAbsent(reason: "AWS_WEB_IDENTITY_TOKEN_FILE is not set")
    case (let arn?, let file?):
      return Role(arn: arn, tokenFile: file, sessionName: settings.roleSessionName)
    case (nil, _):
      throw BucketError(.credentials, "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN")
    case (_, nil):
      throw BucketError(.credentials, "AWS_ROLE_ARN is set without AWS_WEB_IDENTITY_TOKEN_FILE")
    }
  }

  private func endpoint() throws(BucketError) -> HTTPURL {
    let own = settings.ignoresEndpointURLs ? nil : settings.stsEndpointURL
    do {
      return try HTTPURL(own ?? configuration.stsURL(settings))
    } catch {
      throw BucketError(.credentials, "AWS_ENDPOINT_URL_STS: \(error.reason)")
    }
  }

  private func readToken(_ path: String) throws(BucketError) -> Secret {
    let words = try SmallFile.text(path).split(whereSeparator: \.isWhitespace)
    guard words.count == 1, let token = words.first.map(String.init),
      AWSCredential.isSendable(token)
    else { throw BucketError(.credentials, "\(path) does not have one token in it") }
    return Secret(token)
  }

  private func read(_ response: HTTPResponse, hiding token: Secret?) throws -> AWSCredential {
    let fields = try? XMLFields(response.body)
    guard response.status == 200 else {
      let code = fields?["Code"]
      throw service.refusal(
        response, code: code, message: fields?["Message"], hiding: token.map { [$0] } ?? [],
        isRetryable: code.map(Self.transientCodes.contains) ?? false)
    }
    guard let fields else { throw service.malformed("it is not XML") }
    return try AWSCredential(from: service, token: "SessionToken", now: now()) { fields[$0] }
  }

  private static func form(_ values: [(String, String)]) -> [UInt8] {
    Array(
      values.map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&").utf8)
  }
}

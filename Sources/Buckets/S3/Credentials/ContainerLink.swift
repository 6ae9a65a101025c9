import CurlClient

/// The agent that gives credentials to containers: ECS, and EKS ("Pod Identity").
struct ContainerLink: AWSCredentialLink {
  /// Where relative URIs begin.
  static let agentURL = "http://169.254.170.2"
  /// What may be asked without TLS: this machine, and the agents' addresses, which no route leads
  /// away from.
  private static let local = [
    "127.0.0.0/8", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23",
  ].compactMap { IPRange($0) }

  let name = "container"
  let settings: AWSSettings
  var agentURL = Self.agentURL
  let service: CredentialService
  let now: @Sendable () -> Int

  func find() async throws -> FoundCredential {
    let url = try endpoint()
    var token: Secret?
    let credential = try await service.answer {
      let current = try authorization()
      token = current
      return HTTPRequest(
        "GET", url, fields: current.map { [HTTPField("Authorization", $0.revealed)] } ?? [])
    } read: { response in
      let document = CredentialDocument(response.body)
      guard response.status == 200 else {
        let error = document?.error
        throw service.refusal(
          response, code: error?.code, message: error?.message, hiding: token.map { [$0] } ?? [])
      }
      guard let document else { throw service.malformed("it is not a JSON object") }
      return try AWSCredential(from: service, token: "Token", now: now()) { document.texts[$0] }
    }
    return FoundCredential(
      credential: credential,
      source: "the container's role by \(url)")
  }

  private func endpoint() throws -> HTTPURL {
    if let path = settings.containerRelativeURI {
      let variable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
      // Else it would be read as a part of the host.
      guard path.hasPrefix("/") else {
        throw BucketError(.credentials, "\(variable) does not begin with /")
      }
      return try url(agentURL + path, variable)
    }
    let variable = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    guard let full = settings.containerFullURI else {
      throw LinkAbsent(
        reason: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and \(variable) are not set")
    }
    let url = try url(full, variable)
    guard url.scheme == "https" || Self.isLocal(url.host) else {
      throw BucketError(
        .credentials,
        "\(variable): \(url) is neither https nor an address of this machine or a container agent")
    }
    return url
  }

  private func url(_ text: String, _ variable: String) throws(BucketError) -> HTTPURL {
    do { return try HTTPURL(text) } catch {
      throw BucketError(.credentials, "\(variable): \(error.reason)")
    }
  }

  private static func isLocal(_ host: String) -> Bool {
    host == "localhost"
      || IPAddress(host).map { address in local.contains { $0.contains(address) } } ?? false
  }

  private func authorization() throws(BucketError) -> Secret? {
    let path = settings.containerTokenFile
    let token =
      try path.map { path throws(BucketError) in Secret(try SmallFile.text(path)) }
      ?? settings.containerToken
    guard let token else { return nil }
    // It is sent as a header, which a line break would end.
    guard !token.revealed.isEmpty, token.revealed.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f })
    else {
      throw BucketError(
        .credentials,
        "\(path ?? "AWS_CONTAINER_AUTHORIZATION_TOKEN") is empty, or has a line break or the like "
          + "in it")
    }
    return token
  }
}

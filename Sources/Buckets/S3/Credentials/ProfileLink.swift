/// The files that AWS's tools share.
struct ProfileLink: AWSCredentialLink {
  let name = "shared files"
  let settings: AWSSettings
  /// Makes the link for a role that the profile names.
  let webIdentity: @Sendable (WebIdentityLink.Role) -> WebIdentityLink

  func find() async throws -> FoundCredential {
    let profile = try AWSProfile(settings)
    guard profile.exists else { throw LinkAbsent(reason: "there is no \(profile.origin)") }
    if let role = profile.text("role_arn") {
      guard let tokenFile = profile.text("web_identity_token_file") else {
        let other = ["source_profile", "credential_source"].first { profile[$0] != nil }
        throw refusal(profile, other ?? "role_arn without web_identity_token_file")
      }
      return try await webIdentity(
        .init(
          arn: role, tokenFile: tokenFile,
          sessionName: settings.roleSessionName ?? profile.text("role_session_name"))
      ).find()
    }
    if profile["web_identity_token_file"] != nil {
      throw BucketError(
        .credentials, "\(profile.origin) has web_identity_token_file without role_arn")
    }
    if let key = ["sso_session", "sso_start_url", "sso_account_id"].first(where: {
      profile[$0] != nil
    }) {
      throw refusal(profile, key)
    }
    if let found = try staticCredential(profile) { return found }
    if profile["credential_process"] != nil { throw refusal(profile, "credential_process") }
    throw LinkAbsent(reason: "no keys in \(profile.origin)")
  }

  private func staticCredential(_ profile: AWSProfile) throws(BucketError) -> FoundCredential? {
    func value(_ key: String) -> Secret? {
      AWSSettings.unlessPlaceholder(profile.text(key)).map(Secret.init)
    }
    let (id, secret) = (value("aws_access_key_id"), value("aws_secret_access_key"))
    if id == nil, secret == nil { return nil }
    guard let id, let secret else {
      let missing = id == nil ? "aws_access_key_id" : "aws_secret_access_key"
      throw BucketError(.credentials, "\(profile.origin) has no \(missing)")
    }
    do {
      return FoundCredential(
        credential: try AWSCredential(
          accessKeyID: id.revealed, secretAccessKey: secret,
          sessionToken: value("aws_session_token")),
        source: profile.origin)
    } catch {
      throw BucketError(.credentials, "\(profile.origin): \(error.reason)")
    }
  }

  private func refusal(_ profile: AWSProfile, _ what: String) -> BucketError {
    BucketError(
      .credentials,
      "\(profile.origin) has \(what), which is not supported: use aws_access_key_id and "
        + "aws_secret_access_key, or role_arn and web_identity_token_file")
  }
}

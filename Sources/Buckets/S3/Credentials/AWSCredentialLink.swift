/// A credential and where it came from.
struct FoundCredential: Sendable {
  var credential: AWSCredential
  /// For the log: `role arn:aws:iam::1:role/x by web identity`.
  var source: String
}

/// One place where a credential may come from.
protocol AWSCredentialLink: Sendable {
  /// For messages: `web identity`.
  var name: String { get }

  /// Gets a credential, anew each time.
  ///
  /// - Throws: ``LinkAbsent`` when the link does not apply, ``BucketError`` when it is configured and
  ///   fails, `CancellationError`.
  func find() async throws -> FoundCredential
}

/// Why a link does not apply.
struct LinkAbsent: Error {
  let reason: String
  /// Whether it may apply later.
  var isRetryable = false
}

/// `AWS_ACCESS_KEY_ID` and its companions.
struct EnvironmentLink: AWSCredentialLink {
  let name = "environment"
  let settings: AWSSettings

  func find() throws -> FoundCredential {
    let (id, secret) = (settings.accessKeyID, settings.secretAccessKey)
    guard id != nil || secret != nil else {
      throw LinkAbsent(reason: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
    }
    guard let id, let secret else {
      let missing = id == nil ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"
      let present = id == nil ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"
      throw BucketError(.credentials, "\(present) is set without \(missing)")
    }
    do {
      return FoundCredential(
        credential: try AWSCredential(
          accessKeyID: id, secretAccessKey: secret, sessionToken: settings.sessionToken),
        source: "AWS_ACCESS_KEY_ID")
    } catch {
      throw BucketError(.credentials, "AWS_ACCESS_KEY_ID and its companions: \(error.reason)")
    }
  }
}

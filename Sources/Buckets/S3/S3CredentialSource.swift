/// Where the credential comes from that requests are signed with.
package protocol S3CredentialSource: Sendable {
  /// Nil if requests are to be sent unsigned.
  ///
  /// - Throws: ``BucketError`` `credentials`; `CancellationError`.
  func current() async throws -> AWSCredential?

  /// What to use after the store refused `refused` as expired.
  ///
  /// - Throws: as ``current()``.
  func refresh(insteadOf refused: AWSCredential) async throws -> AWSCredential?

  /// For messages; known after the first use.
  var source: String { get }

  /// What works but should be changed, one sentence each.
  var warnings: [String] { get }
}

extension S3CredentialSource {
  package var warnings: [String] { [] }
}

/// A credential that never changes.
package struct FixedS3Credential: S3CredentialSource {
  package let credential: AWSCredential?
  package let source: String

  /// - Parameter credential: nil for unsigned requests.
  package init(_ credential: AWSCredential?, source: String = "settings") {
    self.credential = credential
    self.source = source
  }

  package func current() -> AWSCredential? { credential }

  package func refresh(insteadOf refused: AWSCredential) -> AWSCredential? { credential }
}

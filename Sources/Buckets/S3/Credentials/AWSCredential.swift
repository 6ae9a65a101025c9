/// What requests to S3 are signed with.
package struct AWSCredential: Sendable, Hashable {
  package let accessKeyID: String
  package let secretAccessKey: Secret
  /// Part of a temporary credential.
  package let sessionToken: Secret?

  /// - Throws: ``BucketError`` `credentials` when a part is empty or has characters, such as line
  ///   breaks, that could not be sent.
  package init(
    accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret? = nil
  ) throws(BucketError) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    for (name, value) in [
      ("access key id", accessKeyID), ("secret access key", secretAccessKey.revealed),
      ("session token", sessionToken?.revealed ?? "-"),
    ] {
      guard Self.isSendable(value) else {
        throw BucketError(
          .credentials,
          value.isEmpty
            ? "the \(name) is empty" : "the \(name) has a blank, a line break or the like in it")
      }
    }
  }

  /// Whether a header can hold it as one word.
  static func isSendable(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
  }
}

extension AWSCredential: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// As much as may be shown: `AKID…`.
  package var description: String { "\(accessKeyID.prefix(4))…" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

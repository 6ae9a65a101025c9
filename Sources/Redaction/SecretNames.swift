/// What secrets are called, in lower case.
enum SecretNames {
  /// Whose value is all of the line.
  static let lines: Set = [
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-amz-security-token",
  ]

  static let fields: Set = lines.union([
    "x-amz-signature", "x-amz-credential", "x-goog-signature", "x-goog-credential", "signature",
    "sig", "upload_id", "x-goog-iam-authorization-token", "x-aws-ec2-metadata-token",
    "x-amz-server-side-encryption-customer-key", "kiosk-signature",
    "secretaccesskey", "aws_secret_access_key", "sessiontoken", "aws_session_token", "token",
    "access_token", "id_token", "refresh_token", "client_secret", "assertion", "private_key",
    "password", "passwd", "secret",
  ])

  /// Behind which a credential stands.
  static let schemes: Set = ["bearer", "basic"]

  static let lengths: ClosedRange<Int> = {
    let counts = fields.union(schemes).map(\.utf8.count)
    return (counts.min() ?? 0)...(counts.max() ?? 0)
  }()
}

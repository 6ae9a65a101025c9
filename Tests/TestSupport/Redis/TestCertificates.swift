/// An authority and certificates signed by it, made by `openssl` in a folder.
public struct TestCertificates: Sendable {
  private let folder: TemporaryFolder

  public var authorityFile: String { folder.file("authority.pem") }
  public var serverFile: String { folder.file("server.pem") }
  public var serverKeyFile: String { folder.file("server.key") }
  public var clientFile: String { folder.file("client.pem") }
  public var clientKeyFile: String { folder.file("client.key") }

  /// - Parameter serverNames: the server's subject alternative names, as `DNS:localhost`.
  public init(serverNames: String = "DNS:localhost") async throws {
    folder = try TemporaryFolder()
    try await openssl(
      ["req", "-x509", "-subj", "/CN=test authority", "-days", "2"] + newKey("authority"))
    try await sign("server", extension: "subjectAltName=\(serverNames)")
    try await sign("client", extension: "extendedKeyUsage=clientAuth")
  }

  private func sign(_ name: String, extension: String) async throws {
    try await openssl(
      ["req", "-x509", "-CA", "authority.pem", "-CAkey", "authority.key", "-days", "2"]
        + ["-subj", "/CN=\(name)", "-addext", "basicConstraints=critical,CA:FALSE"]
        + ["-addext", `extension`] + newKey(name))
  }

  private func newKey(_ name: String) -> [String] {
    ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
      + ["-keyout", "\(name).key", "-out", "\(name).pem"]
  }

  private func openssl(_ arguments: [String]) async throws {
    try await runTool("openssl", arguments, workingDirectory: folder.path)
  }
}

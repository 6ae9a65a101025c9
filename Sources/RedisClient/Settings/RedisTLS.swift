/// TLS to Redis. The server's certificate is always verified.
///
/// Connecting by name, the certificate must carry that name. Connecting by IP address, it must carry
/// the address as a subject alternative name, or ``serverName`` must be set and the certificate
/// carry names only: one that also lists the dialled address passes whatever its names are.
public struct RedisTLS: Sendable {
  /// PEM file of the authorities to trust; nil for those of the system.
  public var authorityFile: String?

  /// PEM files of the client's certificate chain and its key; both or neither.
  public var certificateFile: String?
  public var keyFile: String?

  /// The name expected in the certificate in place of the host connected to.
  public var serverName: String?

  public init(
    authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
    serverName: String? = nil
  ) {
    self.authorityFile = authorityFile
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    self.serverName = serverName
  }
}

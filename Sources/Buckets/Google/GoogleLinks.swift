/// The URLs that results are given out by.
struct GoogleLinks: Sendable {
  private let bucket: String
  private let base: String
  private let form: ResultURLs.Form
  private let signer: GoogleSigner?
  private let lifetime: Int
  private let now: @Sendable () -> Int

  /// - Throws: ``BucketError`` `credentials` when URLs are to be signed and nobody can, `invalidRequest`
  ///   for a base URL that is none.
  init(
    _ settings: GoogleSettings, endpoint: GoogleEndpoint, signer: GoogleSigner?,
    now: @escaping @Sendable () -> Int
  ) throws(BucketError) {
    try settings.urls.checkBase()
    bucket = endpoint.bucket
    base = settings.urls.baseURL ?? "\(endpoint.base)/\(endpoint.bucket)"
    // Nobody checks signatures in an emulator.
    let isEmulator = settings.emulator != nil
    form = isEmulator && settings.urls.form == .presigned ? .public : settings.urls.form
    if form == .presigned, signer == nil {
      throw BucketError(
        .credentials,
        "STORAGE_OUTPUT_URL=presigned needs the key of a service account, or the service account "
          + "of a machine at Google; set GOOGLE_APPLICATION_CREDENTIALS to a key file")
    }
    self.signer = signer
    lifetime = Int(settings.urls.lifetime.components.seconds)
    self.now = now
  }

  private func publicURL(_ key: ObjectKey) -> String {
    "\(base)/\(PercentEncoding.encodePath(key.text))"
  }

  /// - Throws: ``BucketError``; `CancellationError`.
  func url(for key: ObjectKey) async throws -> String {
    guard form == .presigned, let signer else { return urlWithoutRequest(for: key) }
    return try await signer.signed(SignedURL(publicURL(key), now: now(), lifetime: lifetime))
  }

  /// As ``url(for:)`` where no request is needed, else the public URL.
  func urlWithoutRequest(for key: ObjectKey) -> String {
    switch form {
    case .uri: return "gs://\(bucket)/\(PercentEncoding.encodePath(key.text))"
    case .public: return publicURL(key)
    case .presigned:
      let url = SignedURL(publicURL(key), now: now(), lifetime: lifetime)
      // A key that cannot sign is reported where uploads are.
      return (try? signer?.signedLocally(url)) ?? publicURL(key)
    }
  }

  /// Whether URLs can be made, as far as a request is needed to know.
  func check() async throws {
    guard form == .presigned, let signer else { return }
    _ = try await signer.signed(SignedURL(base + "/check", now: now(), lifetime: lifetime))
  }
}

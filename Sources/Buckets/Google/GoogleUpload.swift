import CurlClient

/// The upload of one file: with one request, or in chunks of a session where it is large.
struct GoogleUpload {
  let service: GoogleService
  let operation: StoreOperation
  let access: PublicAccess
  let cleanUps: CleanUps
  let key: ObjectKey
  let file: UploadFile
  let contentType: String
  let visibility: UploadDestination.Visibility
  /// Bytes up to which one request does.
  let singleRequestLimit: Int

  var description: ObjectDescription {
    ObjectDescription(name: key.text, contentType: contentType, crc32c: file.checksum.base64)
  }

  /// - Throws: ``BucketError``; `CancellationError`.
  func run() async throws {
    if file.size <= singleRequestLimit { return try await sendAtOnce() }
    try await ResumableUpload(self).run()
  }

  private func sendAtOnce() async throws {
    var isPublic = access.isWanted(for: visibility)
    var wasRefused = false
    try await operation.retrying {
      let meter = TransferMeter(operation)
      let body = try RelatedBody(description, file, meter: meter)
      let query =
        [("uploadType", "multipart"), ("prettyPrint", "false"), ("fields", GoogleObject.fields)]
        + Self.aclQuery(isPublic)
      let request = HTTPRequest(
        "POST", try service.endpoint.upload(query),
        fields: [HTTPField("Content-Type", body.contentType)], body: body,
        timeouts: service.settings.transferTimeouts)
      do { try await confirm(service.send(request, action(isPublic), key)) } catch {
        meter.reached(0)
        if let failed = error as? FailedTry, case .once(.option) = failed.retry {
          isPublic = false
          wasRefused = true
        }
        throw error
      }
    }
    if wasRefused { access.wasLeftOut() }
  }

  func action(_ isPublic: Bool) -> GoogleFailures.Action {
    .write(hasOptionalACL: isPublic && access.mayBeLeftOut)
  }

  static func aclQuery(_ isPublic: Bool) -> [(String, String)] {
    isPublic ? [("predefinedAcl", "publicRead")] : []
  }

  /// Compares what the store has now with what was sent.
  ///
  /// - Throws: ``FailedTry`` with `checksum`; then the object is removed again.
  func confirm(_ response: HTTPResponse) async throws {
    guard let object = GoogleObject(response.body) else {
      throw FailedTry(
        BucketError(
          .server, key: key.text, "the store's answer to the upload of \(key) cannot be read",
          isRetryable: true, answer: .init(status: response.status)), .later(atLeast: nil))
    }
    guard !object.matches(file) else { return }
    if let generation = object.generation {
      let request = HTTPRequest(
        "DELETE", try service.endpoint.object(key, [("generation", generation)]),
        timeouts: service.settings.requestTimeouts)
      // The damage is the error to report.
      _ = try? await service.send(request, .remove, key)
    }
    throw FailedTry(
      BucketError(
        .checksum, key: key.text, "\(key) was damaged on the way to the store",
        answer: .init(status: response.status)), .once(.damaged))
  }
}

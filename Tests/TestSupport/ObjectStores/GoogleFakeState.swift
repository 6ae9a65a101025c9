/// What a ``GoogleFake`` knows.
struct GoogleFakeState {
  struct Metadata: Sendable {
    var contentType: String
    var cacheControl: String?
    /// What the client says it is.
    var checksum: String?
  }

  struct Session {
    let name: String
    let metadata: Metadata
    let isPublic: Bool
    let blob: FakeBlob
    var stored = 0
    var size: Int?
    var finished: GoogleFake.Object?
  }

  let bucket: String
  var tokens: Set<String>?
  var publicACL = GoogleFake.PublicACL.applied
  /// Whether compressed objects are unpacked for everyone.
  var unpacksAlways = false
  var denied: Set<GoogleFakeRequest.Operation> = []
  var objects: [String: GoogleFake.Object] = [:]
  var sessions: [String: Session] = [:]
  /// What finished sessions made, for those who ask again.
  var finished: [String: Session] = [:]
  var requests: [GoogleFakeRequest] = []
  var faults: [GoogleFakeRequest.Operation: [GoogleFault?]] = [:]
  var always: @Sendable (GoogleFakeRequest) -> GoogleFault? = { _ in nil }
  /// Send answers that were held back.
  var held: [@Sendable () -> Void] = []
  var openConnections = 0
  private var allConnections = 0
  private var lastGeneration = 1_700_000_000_000_000

  init(bucket: String, tokens: Set<String>?) {
    self.bucket = bucket
    self.tokens = tokens
  }

  /// - Returns: the connection's number.
  mutating func connect() -> Int {
    openConnections += 1
    allConnections += 1
    return allConnections - 1
  }

  /// - Returns: what is scripted for the request, if anything is.
  mutating func note(_ request: GoogleFakeRequest) -> GoogleFault?? {
    requests.append(request)
    guard faults[request.operation]?.isEmpty == false else { return nil }
    return faults[request.operation]?.removeFirst()
  }

  mutating func store(
    _ blob: FakeBlob, as name: String, _ metadata: Metadata, isPublic: Bool,
    uncompressed: FakeBlob? = nil
  ) -> GoogleFake.Object {
    lastGeneration += 1
    let object = GoogleFake.Object(
      blob: blob, generation: lastGeneration, contentType: metadata.contentType,
      cacheControl: metadata.cacheControl, isPublic: isPublic, uncompressed: uncompressed,
      checksum: blob.checksum.base64)
    objects[name] = object
    return object
  }

  /// Why a request cannot be served, whatever its body.
  func refusal(of request: GoogleFakeRequest) -> GoogleFakeAnswer? {
    let operation = request.operation
    let isSession = [.chunk, .state, .cancel].contains(operation)
    guard operation != .unknown else { return .plain(404, "<html>Not Found</html>") }
    if let tokens {
      let credential = request.fields["authorization"]
      // A session's URL is the credential for it.
      guard
        credential == nil && isSession || tokens.contains(where: { credential == "Bearer \($0)" })
      else { return refuse(operation, 401, "authError", "Invalid Credentials") }
    }
    guard request.bucket == bucket else {
      return refuse(operation, 404, "notFound", "The specified bucket does not exist.")
    }
    guard !denied.contains(operation) else {
      return refuse(
        operation, 403, "forbidden",
        "worker@test.iam.gserviceaccount.com does not have storage.objects access to the "
          + "Google Cloud Storage object. Permission denied on resource (or it may not exist).")
    }
    if let acl = request.query["predefinedAcl"] {
      guard acl == "publicRead" else {
        return .error(400, "invalid", "Invalid value \(acl) for predefinedAcl")
      }
      return refusalOfPublicACL()
    }
    return nil
  }

  private func refusalOfPublicACL() -> GoogleFakeAnswer? {
    switch publicACL {
    case .applied: nil
    case .uniformAccess:
      .error(
        400, "invalid",
        "Cannot insert legacy ACL for an object when uniform bucket-level access is enabled. "
          + "Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access")
    case .prevented:
      .error(
        412, "conditionNotMet",
        "The member bindings allUsers and allAuthenticatedUsers are not allowed since public "
          + "access prevention is enforced.")
    case .denied:
      .error(
        403, "forbidden",
        "worker@test.iam.gserviceaccount.com does not have storage.objects.setIamPolicy access to "
          + "the Google Cloud Storage object.")
    }
  }

  private func refuse(
    _ operation: GoogleFakeRequest.Operation, _ status: Int, _ reason: String, _ message: String
  ) -> GoogleFakeAnswer {
    operation == .media ? .plain(status, message) : .error(status, reason, message)
  }
}

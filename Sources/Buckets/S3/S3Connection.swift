import CurlClient
import Logging
import Synchronization

/// Sends signed requests about one bucket, and learns from the answers where the bucket is, what time
/// it is there, and that the credential has expired.
final class S3Connection: Sendable {
  static let errorBodyLimit = 65536
  /// Seconds, of the fifteen minutes that stores allow.
  private static let tolerableSkew = 60

  struct Request: Sendable {
    var method: String
    var action: S3Failures.Action
    var key: ObjectKey
    var query = CanonicalQuery()
    var fields: [HTTPField] = []
    var body: (any HTTPBodySource)?
    /// The SHA-256 of the body in hexadecimal digits; nil if it need not be signed.
    var bodyHash: String?
    var timeouts: HTTPTimeouts
  }

  /// One try of a request: what may turn out to be wrong.
  struct Attempt: Sendable {
    let request: HTTPRequest
    let action: S3Failures.Action
    let key: ObjectKey
    let region: String
    let credential: AWSCredential?
    let server: String
  }

  private struct State {
    var region: String
    /// The host that a redirect named.
    var service: String?
    /// Seconds that the store's clock is ahead of ours.
    var clockOffset = 0
    /// The same as of the last response, which may not be reason enough to sign with another time.
    var observedClockOffset: Int?
    var lastCredential: AWSCredential?
  }

  let address: S3Address
  private let client: HTTPClient
  private let credentials: any S3CredentialSource
  private let keys = SigningKeys()
  private let now: @Sendable () -> Int
  private let logger: Logger
  private let state: Mutex<State>

  init(
    _ address: S3Address, region: String, client: HTTPClient,
    credentials: any S3CredentialSource, logger: Logger, now: @escaping @Sendable () -> Int
  ) {
    self.address = address
    self.client = client
    self.credentials = credentials
    self.logger = logger
    self.now = now
    state = Mutex(State(region: region))
  }

  var region: String { state.withLock { $0.region } }

  /// The credential of the last request.
  var lastCredential: AWSCredential? { state.withLock { $0.lastCredential } }

  var source: String { credentials.source }

  var credentialWarnings: [String] { credentials.warnings }

  /// Seconds that the store's clock is ahead, as of its last response.
  var observedClockOffset: Int? { state.withLock { $0.observedClockOffset } }

  /// How long the start of a program waits for a service that gives out credentials. Once there is one
  /// it waits for none.
  private static let credentialPatience: Duration = .seconds(5)

  /// What may be told of the credential.
  func credentialText() async -> String {
    do {
      return try await withThrowingTaskGroup(of: String.self) { group in
        group.addTask {
          try await self.credential().map { "\($0) from \(self.source)" }
            ?? "none: requests are unsigned"
        }
        group.addTask {
          try await Task.sleep(for: Self.credentialPatience)
          return "not known yet"
        }
        defer { group.cancelAll() }
        return try await group.next() ?? "not known yet"
      }
    } catch { return "none: \((error as? FailedTry)?.error ?? error)" }
  }

  /// Whether the body of a request is signed too: nothing else protects it without TLS.
  var signsBodies: Bool { endpoint.scheme == "http" }

  /// Sends a request once.
  ///
  /// - Returns: a response of success.
  /// - Throws: ``FailedTry``; `HTTPError`; `CancellationError`.
  func send(_ request: Request) async throws -> HTTPResponse {
    try await sendTold(request, bodyLimit: Self.errorBodyLimit).response
  }

  /// As ``send(_:)``, for a response that may be a failure all the same.
  func sendTold(
    _ request: Request, bodyLimit: Int
  ) async throws -> (response: HTTPResponse, attempt: Attempt) {
    let attempt = try await prepare(request)
    let start = now()
    let response = try await explained(attempt) {
      try await client.send(attempt.request, bodyLimit: bodyLimit, overflow: .cut)
    }
    noteTime(response.head, since: start)
    guard (200..<300).contains(response.status) else {
      throw try await failure(S3Response(response.head, body: response.body), of: attempt)
    }
    return (response, attempt)
  }

  /// Sends a request once and passes on what comes, whatever its status.
  func transfer(
    _ request: Request, into sink: any HTTPBodySink
  ) async throws -> (head: HTTPHead, attempt: Attempt) {
    let attempt = try await prepare(request)
    let start = now()
    let head = try await explained(attempt) {
      try await client.transfer(attempt.request, into: sink)
    }
    noteTime(head, since: start)
    return (head, attempt)
  }

  /// The credential to use now.
  ///
  /// - Throws: ``FailedTry`` if there may be one later.
  func credential() async throws -> AWSCredential? {
    let credential = try await retryable { try await credentials.current() }
    state.withLock { $0.lastCredential = credential }
    return credential
  }

  /// Signs with the store's time and the bucket's region.
  func signature(by credential: AWSCredential) -> SignatureV4 {
    SignatureV4(credential: credential, region: region, time: SigningTime(time), keys: keys)
  }

  /// Seconds since 1970, by the store's clock as far as it is known.
  var time: Int { now() + state.withLock { $0.clockOffset } }

  // MARK: Out

  private func prepare(_ request: Request) async throws -> Attempt {
    let credential = try await credential()
    let endpoint = endpoint
    let path = endpoint.path(of: request.key)
    var fields = request.fields
    let region: String
    if let credential {
      let signature = signature(by: credential)
      region = signature.region
      fields = signature.sign(
        request.method, host: endpoint.host, path: path, query: request.query, fields: fields,
        payload: request.bodyHash ?? (endpoint.scheme == "http" ? Self.emptyHash : nil)
          ?? SignatureV4.unsignedPayload)
    } else {
      region = self.region
    }
    let query = request.query.text.isEmpty ? "" : "?\(request.query.text)"
    let url = try HTTPURL("\(endpoint.scheme)://\(endpoint.host)\(path)\(query)")
    return Attempt(
      request: HTTPRequest(
        request.method, url, fields: fields, body: request.body, timeouts: request.timeouts),
      action: request.action, key: request.key, region: region, credential: credential,
      server: "\(url)")
  }

  private static let emptyHash = Hashes.sha256Hexadecimal("")

  /// Where requests go now.
  var endpoint: S3Endpoint {
    let (region, service) = state.withLock { ($0.region, $0.service) }
    return address.endpoint(region: region, service: service)
  }

  private func retryable<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let error as BucketError where error.isRetryable {
      throw FailedTry(error, .later(atLeast: nil))
    }
  }

  private func explained<Value>(
    _ attempt: Attempt, _ body: () async throws -> Value
  ) async throws -> Value {
    do { return try await body() } catch let error as HTTPError {
      let isAWS = address.custom == nil
      throw failures.failedTry(error, attempt.key, isAWS: isAWS) ?? error as any Error
    }
  }

  private var failures: S3Failures { S3Failures(bucket: address.bucket, source: source) }

  // MARK: Back

  /// What a response without success means, once what can be changed for another try is changed.
  func failure(_ response: S3Response, of attempt: Attempt) async throws -> FailedTry {
    let failed = failures.failedTry(
      response, attempt.action, attempt.key, server: attempt.server)
    if let remedy = try await remedy(response, attempt) {
      return FailedTry(failed.error, .once(remedy))
    }
    return failed
  }

  private func remedy(
    _ response: S3Response, _ attempt: Attempt
  ) async throws -> FailedTry.Remedy? {
    if follow(response, attempt) { return .address }
    switch response.code.flatMap(S3ErrorCode.kind) {
    case .clock: return setClock(by: response) ? .clock : nil
    case .credential:
      guard let refused = attempt.credential else { return nil }
      let fresh = try await retryable { try await credentials.refresh(insteadOf: refused) }
      state.withLock { $0.lastCredential = fresh }
      return .credential
    default: return nil
    }
  }

  /// A response is dated between the request and its own arrival, which may be far apart.
  private func noteTime(_ head: HTTPHead, since start: Int) {
    guard let server = head["date"].flatMap({ RetryAfter.seconds(date: $0) }) else { return }
    let offset = server < start ? server - start : max(0, server - now())
    state.withLock { $0.observedClockOffset = offset }
  }

  private func setClock(by response: S3Response) -> Bool {
    guard let server = response.head["date"].flatMap({ RetryAfter.seconds(date: $0) }) else {
      return false
    }
    let offset = server - now()
    let before = state.withLock { state in
      defer { state.clockOffset = offset }
      return state.clockOffset
    }
    // Parts that are under way together find out together.
    if abs(offset - before) > Self.tolerableSkew {
      logger.warning(
        "the clock differs from the store's; requests are signed with the store's time",
        metadata: ["event": "storage_clock", "seconds": "\(offset)"])
    }
    return true
  }

  /// Remembers where the bucket is, if the response says so; false if that is no news.
  private func follow(_ response: S3Response, _ attempt: Attempt) -> Bool {
    let isElsewhere = (300..<400).contains(response.status)
    let isMalformed = response.code == "AuthorizationHeaderMalformed"
    if let region = response.region, region != attempt.region,
      isMalformed || address.custom == nil && (isElsewhere || response.status == 400)
    {
      let isNews = state.withLock { state in
        defer { (state.region, state.service) = (region, nil) }
        return state.region != region
      }
      if isNews {
        logger.notice(
          "the bucket is in another region; AWS_REGION should name it",
          metadata: ["event": "storage_region", "region": "\(region)"])
      }
      return true
    }
    guard response.status == 307, address.custom == nil,
      let location = response.head["location"], let url = try? HTTPURL(location),
      url.scheme == "https", url.port == 443, let service = address.service(at: url.host)
    else { return false }
    state.withLock { $0.service = service }
    // Not what was known before: parts that are under way together are redirected together.
    return endpoint.host != attempt.request.url.host
  }
}
